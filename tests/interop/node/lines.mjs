// What all scripts share: lines of JSON on stdout, and waiting for what comes.

export const CHUNK_BYTES = 4800; // 100 ms

/** Print one line for pytest to read. */
export function tell(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

/** Cut audio as a microphone would deliver it. */
export function* chunks(pcm) {
  for (let start = 0; start < pcm.length; start += CHUNK_BYTES) {
    yield pcm.subarray(start, start + CHUNK_BYTES);
  }
}

/** Keeps what came, prints it, and lets a scenario wait for what comes next. */
export class Inbox {
  #all = [];
  #read = 0;
  #wake = () => {};

  put(event) {
    tell({ event });
    this.#all.push(event);
    this.#wake();
  }

  /** Return the next event of a type that nobody has waited for yet. */
  async until(type, fits = () => true) {
    for (;;) {
      while (this.#read < this.#all.length) {
        const event = this.#all[this.#read++];
        if (event.type === type && fits(event)) return event;
      }
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }
}

/** Run the scenario that the command line names. */
export async function run(scenarios) {
  const name = process.argv[2];
  await scenarios[name]();
  tell({ finished: name });
}
