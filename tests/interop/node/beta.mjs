// An old client, which speaks the beta dialect: URL is the emulator's.
import { readFileSync } from "node:fs";

import { RealtimeClient } from "openai-realtime-api";

import { chunks, run, tell } from "./lines.mjs";

async function conversation(session, hold) {
  const client = new RealtimeClient({
    url: process.env.URL,
    apiKey: "sk-anything",
    sessionConfig: { turn_detection: null, ...session },
  });
  client.on("realtime.event", ({ source, event }) => {
    if (source === "server") tell({ event });
  });
  const closed = new Promise((resolve) => client.realtime.on("close", resolve));
  const lost = closed.then(() => Promise.reject(new Error("the connection is lost")));
  lost.catch(() => {}); // at the end it is no surprise
  await client.connect();
  await Promise.race([lost, client.waitForSessionCreated()]);
  await Promise.race([lost, hold(client)]);
  for (const item of client.conversation.getItems()) {
    const { text, transcript, audio, tool, output } = item.formatted;
    const seconds = (audio?.length ?? 0) / 24000;
    const { id, role, type, status } = item;
    tell({ item: { id, role, type, status, text, transcript, tool, output, seconds } });
  }
  client.disconnect();
  await closed;
}

const ask = (client, text) => client.sendUserMessageContent([{ type: "input_text", text }]);

/** Return a promise of the model's next completed answer. */
function answer(client) {
  // Its own waitForNextCompletedItem() misses an item that follows another at once.
  return new Promise((resolve) => {
    client.on("conversation.item.completed", ({ item }) => {
      if (item.role === "assistant") resolve(item);
    });
  });
}

await run({
  text: () =>
    conversation({ modalities: ["text"] }, async (client) => {
      const answered = answer(client);
      ask(client, "The cat sat.");
      await answered;
    }),

  audio: () =>
    conversation({}, async (client) => {
      const answered = answer(client);
      for (const chunk of chunks(readFileSync(process.env.SPEECH))) {
        const { buffer, byteOffset, byteLength } = chunk;
        client.appendInputAudio(buffer.slice(byteOffset, byteOffset + byteLength));
      }
      client.createResponse();
      await answered;
    }),

  tool: () =>
    conversation({}, async (client) => {
      client.addTool(
        {
          type: "function",
          name: "get_weather",
          description: "The weather at a place.",
          parameters: {
            type: "object",
            properties: { location: { type: "string" } },
            required: ["location"],
          },
        },
        async (args) => {
          tell({ called: args });
          return { temperature_c: 18 };
        },
      );
      const answered = answer(client);
      ask(client, "What is the weather in Paris?");
      await answered;
    }),
});
