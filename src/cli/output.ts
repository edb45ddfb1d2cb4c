import type { FileHandle } from "node:fs/promises";

const CAPACITY = 2 ** 18;

/** Where a command writes its result: many small writes, gathered into few large ones. */
export class Output {
  readonly #memory: Buffer = Buffer.allocUnsafe(CAPACITY);
  readonly #sink: (bytes: Buffer) => Promise<void>;
  #length = 0;

  constructor(sink: (bytes: Buffer) => Promise<void>) {
    this.#sink = sink;
  }

  /** Copies the bytes: they may change once this has resolved. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#length + bytes.length > CAPACITY) await this.flush();
    if (bytes.length > CAPACITY) return this.#sink(bytes);
    bytes.copy(this.#memory, this.#length);
    this.#length += bytes.length;
  }

  async flush(): Promise<void> {
    const length = this.#length;
    this.#length = 0;
    if (length > 0) await this.#sink(this.#memory.subarray(0, length));
  }
}

/** Writes to standard output, no faster than it is read. */
export function toStdout(): Output {
  return new Output(
    (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
  );
}

/** Writes to an open file. */
export function toFile(handle: FileHandle): Output {
  return new Output(async (bytes) => {
    for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
  });
}
