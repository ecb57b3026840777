// The official client: BASE_URL is https, behind which the emulator stands.
import { readFileSync } from "node:fs";

import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

import { chunks, Inbox, run, tell } from "./lines.mjs";

const WEATHER = {
  type: "function",
  name: "get_weather",
  description: "The weather at a place.",
  parameters: {
    type: "object",
    properties: { location: { type: "string" } },
    required: ["location"],
  },
};

async function conversation(session, hold) {
  const client = new OpenAI({ apiKey: "sk-anything", baseURL: process.env.BASE_URL });
  const realtime = await OpenAIRealtimeWS.create(client, { model: "gpt-realtime" });
  const inbox = new Inbox();
  realtime.on("event", (event) => inbox.put(event));
  realtime.on("error", (error) => tell({ error: String(error) }));
  const closed = new Promise((resolve) => realtime.socket.on("close", resolve));
  await inbox.until("session.created");
  realtime.send({ type: "session.update", session: { type: "realtime", ...session } });
  await inbox.until("session.updated");
  await hold(realtime, inbox);
  realtime.close();
  tell({ closed: await closed });
}

function ask(realtime, text) {
  const content = [{ type: "input_text", text }];
  const item = { type: "message", role: "user", content };
  realtime.send({ type: "conversation.item.create", item });
  realtime.send({ type: "response.create" });
}

await run({
  text: () =>
    conversation({ output_modalities: ["text"] }, async (realtime, inbox) => {
      ask(realtime, "The cat sat.");
      await inbox.until("response.done");
    }),

  audio: () =>
    conversation(
      { audio: { input: { transcription: { model: "whisper-1" } } } },
      async (realtime, inbox) => {
        for (const chunk of chunks(readFileSync(process.env.SPEECH))) {
          const audio = chunk.toString("base64");
          realtime.send({ type: "input_audio_buffer.append", audio });
        }
        await inbox.until("response.done");
      },
    ),

  call: () =>
    conversation({ tools: [WEATHER] }, async (realtime, inbox) => {
      ask(realtime, "What is the weather in Paris?");
      const { response } = await inbox.until("response.done");
      const item = {
        type: "function_call_output",
        call_id: response.output[0].call_id,
        output: JSON.stringify({ temperature_c: 18 }),
      };
      realtime.send({ type: "conversation.item.create", item });
      realtime.send({ type: "response.create" });
      await inbox.until("response.done");
    }),

  cancel: () =>
    conversation({}, async (realtime, inbox) => {
      ask(realtime, "Count slowly to 50.");
      await inbox.until("response.output_audio.delta");
      realtime.send({ type: "response.cancel" });
      await inbox.until("response.done");
    }),
});
