import { problem } from "./terminal.ts";

/** Beyond these, one line says how many there are. */
const SHOWN = 20;

/** Problems with single envelopes, each told once where it stands. A stream can hold millions. */
export class Complaints {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(line: string): void {
    this.#count++;
    if (this.#count <= SHOWN) problem(line);
  }

  /** Says how many were not shown. */
  end(): void {
    if (this.#count > SHOWN) problem(`${this.#count - SHOWN} more problems of this kind are not shown.`);
  }
}
