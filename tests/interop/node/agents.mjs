// The agents SDK on its WebSocket transport, with its defaults: URL is the emulator's.
import { readFileSync } from "node:fs";

import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";

import { chunks, Inbox, run, tell } from "./lines.mjs";

const weather = tool({
  name: "get_weather",
  description: "The weather at a place.",
  parameters: z.object({ location: z.string() }),
  execute: async (args) => {
    tell({ called: args });
    return JSON.stringify({ temperature_c: 18 });
  },
});

async function conversation(hold, tools = []) {
  const agent = new RealtimeAgent({ name: "friend", instructions: "Be kind.", tools });
  const session = new RealtimeSession(agent, {
    transport: "websocket",
    model: "gpt-realtime",
  });
  const inbox = new Inbox();
  session.on("transport_event", (event) => inbox.put(event));
  session.on("error", ({ error }) => tell({ error: String(error?.message ?? error), detail: error }));
  session.on("audio", (event) => inbox.put({ type: "sdk.audio", bytes: event.data.byteLength }));
  session.on("audio_stopped", () => inbox.put({ type: "sdk.audio_stopped" }));
  session.on("audio_interrupted", () => inbox.put({ type: "sdk.audio_interrupted" }));
  session.on("agent_end", (_context, _agent, text) => inbox.put({ type: "sdk.agent_end", text }));
  await session.connect({ apiKey: "sk-anything", url: process.env.URL });
  await inbox.until("session.updated");
  await hold(session, inbox);
  tell({ history: session.history });
  session.close();
}

function speak(session) {
  for (const chunk of chunks(readFileSync(process.env.SPEECH))) {
    const { buffer, byteOffset, byteLength } = chunk;
    session.sendAudio(buffer.slice(byteOffset, byteOffset + byteLength));
  }
}

const spoken = (event) => event.text !== "";

await run({
  turn: () =>
    conversation(async (session, inbox) => {
      session.sendMessage("The cat sat.");
      await inbox.until("sdk.agent_end", spoken);
    }),

  voice: () =>
    conversation(async (session, inbox) => {
      speak(session);
      await inbox.until("sdk.agent_end", spoken);
    }),

  tool: () =>
    conversation(
      async (session, inbox) => {
        session.sendMessage("What is the weather in Paris?");
        await inbox.until("sdk.agent_end", spoken);
      },
      [weather],
    ),

  interruption: () =>
    conversation(async (session, inbox) => {
      session.sendMessage("Count slowly to 50.");
      await inbox.until("sdk.audio");
      session.interrupt();
      await inbox.until("response.done");
      await inbox.until("conversation.item.truncated");
    }),

  barge_in: () =>
    conversation(async (session, inbox) => {
      session.sendMessage("Count slowly to 50.");
      await inbox.until("sdk.audio");
      speak(session);
      await inbox.until("sdk.audio_interrupted");
      await inbox.until("response.done", (event) => event.response.status === "cancelled");
      await inbox.until("response.done", (event) => event.response.status === "completed");
    }),
});
