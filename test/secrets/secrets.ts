import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

/** Shorter pieces of a text occur in others by chance. */
const PIECE = 12;
/** Of a long value, its beginning is looked for. */
const MOST_PIECES = 64;
/** What ends a run key: all before it is its kid and its run. */
const RUN_KEY_DIGITS = 49;

/** What is written in src is no user's data. */
const SOURCES: string = (() => {
  const folder = fileURLToPath(new URL("../../src", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  return files.map((path) => readFileSync(join(folder, path), "utf8")).join("\n");
})();

/** A secret that stands in a text. */
export interface Finding {
  readonly secret: "key material" | "plaintext";
  /** What stands before it. */
  readonly after: string;
}

/** How Inngest names steps, alone and with their run: apps pass them on, and no data is in them. */
const HASHED_ID = /^(?:\w{26}\.)?[0-9a-f]{40}$/;

/** The lines of a stack that name code. They stand in what is sealed of an error, and in every error of ours. */
const FRAMES = /\n\s+at .*/g;

/**
 * Texts that no output may hold, whole or in part: of each, every 12 characters from its beginning on are one piece, so
 * that any 23 in a row have a whole piece among them.
 */
export class Secrets {
  readonly #pieces = new Map<string, Finding["secret"]>();
  readonly #known = new Set<string>();
  readonly #public = new Set<string>();
  readonly #kids = new Set<string>();

  /** A key, in the forms that bytes are written in. */
  addBytes(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes);
    const hex = buffer.toString("hex");
    if (this.#known.has(hex)) return;
    const list = [...bytes];
    const inspected = inspect(list).replaceAll(/[[\]\s]+/g, " ");
    for (const form of [
      hex,
      hex.toUpperCase(),
      buffer.toString("base64"),
      buffer.toString("base64url"),
      list.join(),
      list.join(", "),
      inspected.trim(),
    ]) {
      this.#add(form, "key material");
    }
  }

  /** A key as text: what follows its prefix, which only says what it is. */
  addKey(text: string): void {
    // No regular expression: the engine keeps the last text that one was tried on, and a test looks for keys there.
    const key = text.trim();
    const prefix = ["ssk1_", "hex:", "base64:"].find((known) => key.startsWith(known)) ?? "";
    this.#add(
      key.startsWith("ssrk1_") ? key.slice(-RUN_KEY_DIGITS) : key.slice(prefix.length),
      "key material",
    );
  }

  /** What a key is called, in the clear: tests give it in place of a key, too. */
  addKid(kid: string): void {
    this.#kids.add(kid);
  }

  /** A name that everybody may know, though a test seals it too. */
  addPublic(text: string): void {
    if (text.length >= PIECE) this.#public.add(text);
  }

  /** A value as JSON has it: every text in it, every name that is no program's, and what texts hold that are JSON themselves. */
  addValue(value: unknown, isPublic: (text: string) => boolean = () => false): void {
    if (typeof value === "string") {
      const inner = '[{"'.includes(value.trimStart().charAt(0) || " ") ? parsed(value) : undefined;
      if (inner !== undefined) this.addValue(inner, isPublic);
      else if (!HASHED_ID.test(value) && !isPublic(value))
        this.#add(value.replaceAll(FRAMES, ""), "plaintext");
    } else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      for (const [name, member] of Object.entries(value)) {
        if (!/^\w*$/.test(name)) this.#add(name, "plaintext");
        this.addValue(member, isPublic);
      }
    }
  }

  #add(text: string, secret: Finding["secret"]): void {
    if (text.length < PIECE || this.#known.has(text)) return;
    this.#known.add(text);
    const end = Math.min(text.length, PIECE * MOST_PIECES) - PIECE;
    for (let at = 0; at <= end; at += PIECE) {
      const piece = text.slice(at, at + PIECE);
      // A row of a few characters is no sign of anything.
      if (new Set(piece).size > 4) this.#pieces.set(piece, secret);
    }
  }

  #isPublic(piece: string): boolean {
    if (SOURCES.includes(piece)) return true;
    for (const text of this.#public) if (text.includes(piece)) return true;
    return false;
  }

  #isOfKid(piece: string): boolean {
    for (const kid of this.#kids) if (kid.includes(piece)) return true;
    return false;
  }

  /** The secrets in a text, one behind the other. */
  in(output: string): Finding[] {
    const text = output.replaceAll(FRAMES, "");
    const found: Finding[] = [];
    for (let at = 0; at + PIECE <= text.length; at++) {
      const secret = this.#pieces.get(text.slice(at, at + PIECE));
      const piece = text.slice(at, at + PIECE);
      if (secret === undefined || (secret === "plaintext" ? this.#isPublic(piece) : this.#isOfKid(piece)))
        continue;
      found.push({ secret, after: text.slice(Math.max(0, at - 60), at) });
      at += PIECE - 1;
    }
    return found;
  }
}

/** A text as the JSON that it is; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
