import { inspect } from "node:util";
import { isAllowed, PUBLIC } from "./allowed.ts";
import { type Finding, parsed, Secrets } from "./secrets.ts";

/** Where something is put out. */
export type Channel = "error" | "log" | "response" | "observer" | "command";

/** A secret that got out. */
export interface Leak extends Finding {
  readonly channel: Channel;
}

/** What is longer takes too long, and is a list of one thing. */
const MOST_JSON = 2 ** 20;

/** What the tests of one file keep secret, and what they put out. */
export class Outputs {
  readonly secrets: Secrets = new Secrets();
  /** By text: what is put out again and again is searched once. */
  readonly #unsearched = new Map<string, Channel>();
  readonly #searched = new Set<string>();
  readonly #errors: Error[] = [];
  /** Our own: an app may seal one, or the stack that begins with it, and it is no plaintext for that. */
  readonly #messages = new Set<string>();

  constructor() {
    for (const text of PUBLIC) this.secrets.addPublic(text);
  }

  /** Notes the JSON text of a value that is sealed or was opened. */
  addJson(json: string): void {
    if (json.length <= MOST_JSON) this.addValue(parsed(json) ?? json);
  }

  /** Notes a value that is sealed or was opened. */
  addValue(value: unknown): void {
    this.secrets.addValue(value, (text) => {
      for (const message of this.#messages) if (text.includes(message)) return true;
      return false;
    });
  }

  /** Notes an error of ours while it is made: not all of its members are there yet. */
  addError(error: Error): void {
    this.#messages.add(error.message);
    this.#errors.push(error);
  }

  /** Notes what is put out. */
  add(channel: Channel, ...parts: readonly unknown[]): void {
    for (const part of parts) {
      const text = typeof part === "string" ? part : shown(part);
      if (!this.#searched.has(text)) this.#unsearched.set(text, channel);
    }
  }

  /**
   * The secrets in what was put out since this was last asked.
   *
   * @param file of the tests that put it out, as allowed.ts names it
   */
  leaks(file = ""): Leak[] {
    for (const error of this.#errors.splice(0)) {
      this.add("error", error.message, String(error.stack), error);
    }
    const found: Leak[] = [];
    for (const [text, channel] of this.#unsearched) {
      this.#searched.add(text);
      for (const finding of this.secrets.in(text)) {
        if (finding.secret === "plaintext" && isAllowed(channel, text, file)) continue;
        found.push({ channel, ...finding });
      }
    }
    this.#unsearched.clear();
    return found;
  }
}

/** All that a value shows, its cause and its members among it. */
function shown(part: unknown): string {
  const whole = { depth: 8, maxStringLength: null, maxArrayLength: null } as const;
  return inspect(part, { ...whole, breakLength: Number.POSITIVE_INFINITY });
}

/** Of the file of tests that runs. Nothing is searched outside `npm run test:secrets`. */
export const outputs: Outputs = new Outputs();
