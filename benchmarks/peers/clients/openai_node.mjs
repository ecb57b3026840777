// `openai` for Node.js: OpenAIRealtimeWS, audio decoded with Buffer.from. It takes the
// order that meter.py describes, and prints the same. Packages are found from the folder
// that NODE_PACKAGES names.
const began = performance.now();

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { createSecureContext } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(`${process.env.NODE_PACKAGES}/`);
const { OpenAI } = require("openai");
const { OpenAIRealtimeWS } = require("openai/realtime/ws");

const order = JSON.parse(process.argv[2]);
const secure = order.url.startsWith("wss:");
// It takes only secure addresses; without TLS the connection has to be made for it.
const address = new URL(order.url.replace(/^ws/, "http"));
const options = secure
  ? { secureContext: createSecureContext({ ca: readFileSync(order.ca) }) }
  : { createConnection: () => connect(Number(address.port), address.hostname) };

const FIRST_CONNECTIONS = 10;
const SETTLE_MS = 200;
const WARM_APPENDS = 200;
// `send` neither waits nor refuses; without a limit everything would lie in memory.
const MOST_BUFFERED_BYTES = 1 << 20;

/** Counts the events of one connection, and lets somebody wait for a count. */
class Session {
  #left = 0;
  #pcm = 0;
  #done = () => {};

  constructor() {
    const client = new OpenAI({
      apiKey: "none",
      baseURL: order.url.replace(/^wss?:/, "https:"),
    });
    this.realtime = new OpenAIRealtimeWS({ model: "gpt-realtime", options }, client);
    this.realtime.on("error", (error) => {
      throw error;
    });
    this.realtime.on("event", (event) => this.#take(event));
  }

  #take(event) {
    if (event.type === "response.output_audio.delta") {
      this.#pcm += Buffer.from(event.delta, "base64").length;
    }
    if (--this.#left === 0) this.#done(this.#pcm);
  }

  receive(count) {
    this.#left = count;
    this.#pcm = 0;
    return new Promise((resolve) => (this.#done = resolve));
  }

  /** Ask for events, and receive so many and the answer to the question itself. */
  ask(count) {
    const received = this.receive(1 + count);
    this.realtime.send({ type: "input_audio_buffer.clear" });
    return received;
  }

  async send(pcm, count) {
    for (let n = 0; n < count; n++) {
      const audio = pcm.toString("base64");
      this.realtime.send({ type: "input_audio_buffer.append", audio });
      while (this.realtime.socket.bufferedAmount > MOST_BUFFERED_BYTES) {
        await new Promise(setImmediate);
      }
    }
  }
}

async function open() {
  const session = new Session();
  await session.receive(1);
  return session;
}

async function openMany(count) {
  const sessions = [];
  while (sessions.length < count) sessions.push(await open());
  return sessions;
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function memoryKB() {
  const rollup = readFileSync("/proc/self/smaps_rollup", "utf8");
  return Number(/^Pss: *(\d+)/m.exec(rollup)[1]);
}

const scenarios = {
  async receive() {
    const sessions = await openMany(order.sessions);
    const [warm, count] = order.events;
    await Promise.all(sessions.map((session) => session.ask(warm)));
    globalThis.gc();
    const started = cpuSeconds();
    const pcm = await Promise.all(sessions.map((session) => session.ask(count)));
    const spent = cpuSeconds() - started;
    return {
      cpu_s: spent / (count * sessions.length),
      pcm: pcm.reduce((sum, bytes) => sum + bytes),
    };
  },

  async send() {
    const session = await open();
    const pcm = Buffer.from(
      Uint8Array.from({ length: order.append_bytes }, (_, n) => n * 7),
    );
    let spent;
    for (const count of [WARM_APPENDS, order.appends]) {
      globalThis.gc();
      const started = cpuSeconds();
      await session.send(pcm, count);
      await session.ask(0);
      spent = cpuSeconds() - started;
    }
    return { cpu_s: spent / order.appends };
  },

  async idle() {
    const sizes = [];
    const kept = [];
    for (const count of [FIRST_CONNECTIONS, order.sessions]) {
      kept.push(...(await openMany(count)));
      await sleep(SETTLE_MS);
      globalThis.gc();
      sizes.push(memoryKB());
    }
    return { idle_kb: (sizes[1] - sizes[0]) / order.sessions };
  },

  async start() {
    await open();
    return { start_s: (performance.now() - began) / 1000 };
  },
};

const result = await scenarios[order.scenario]();
result.peak_kb = process.resourceUsage().maxRSS;
process.stdout.write(JSON.stringify(result) + "\n");
process.exit(0);
