import { utf8ToBytes } from "@noble/hashes/utils.js";
import { StepsealError } from "../errors.ts";
import type { WireEntry } from "./types.ts";

/** Where a needle was found. */
export interface PlaintextHit {
  readonly needle: string;
  /** Index of the entry in the wire. */
  readonly at: number;
  readonly where: "body" | "header" | "url";
  readonly channel: WireEntry["channel"];
  readonly encoding: "plain" | "json" | "percent" | "base64";
  readonly url: string;
  /** The header's name, when it is in one. */
  readonly header?: string;
}

/** Shorter needles would be hit by chance. */
const SHORTEST = 6;
/** JSON inside a string of JSON, this many times over, is still read. */
const NESTING = 4;

/** The text with one layer of JSON string escapes undone. */
function unescapeJson(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([^u]))/g, (_, hex: string | undefined, char: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }[char] ?? char;
  });
}

/** The text with percent-encoding undone, and `+` read as a space. */
function unescapePercent(text: string): string {
  const plus = text.replaceAll("+", " ");
  return plus.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
    const bytes = run.match(/[0-9a-fA-F]{2}/g)!.map((byte) => Number.parseInt(byte, 16));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  });
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * What base64 of any text that holds this one must hold, for the three ways it can fall on groups of three
 * bytes, in both alphabets. Letters that depend on the neighbours are cut off.
 */
function base64Cores(text: string): string[] {
  const bytes = utf8ToBytes(text);
  return [0, 1, 2].flatMap((offset) => {
    const shifted = new Uint8Array(offset + bytes.length);
    shifted.set(bytes, offset);
    const core = base64(shifted).slice(Math.ceil((offset * 8) / 6), Math.floor((shifted.length * 8) / 6));
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** The forms a needle takes inside base64: as it is, as JSON writes it, and base64 of these once more. */
function encodedForms(needle: string): Set<string> {
  const json = JSON.stringify(needle).slice(1, -1);
  const twice = JSON.stringify(json).slice(1, -1);
  const once = new Set([needle, json, twice].flatMap(base64Cores));
  return new Set([...once, ...[...once].flatMap(base64Cores)]);
}

/** The ways to read a text, the plain one first. */
function readings(text: string): { readonly text: string; readonly encoding: PlaintextHit["encoding"] }[] {
  const found: { text: string; encoding: PlaintextHit["encoding"] }[] = [{ text, encoding: "plain" }];
  const add = (start: string, encoding: "json" | "percent"): void => {
    let current = start;
    for (let depth = 0; depth < NESTING && current.includes("\\"); depth++) {
      current = unescapeJson(current);
      found.push({ text: current, encoding });
    }
  };
  add(text, "json");
  let current = text;
  for (let depth = 0; depth < 2 && /[%+]/.test(current); depth++) {
    current = unescapePercent(current);
    found.push({ text: current, encoding: "percent" });
    add(current, "percent");
  }
  return found;
}

/**
 * Finds plaintext in what left an app: in bodies, header values and URLs; as it is, with JSON escapes (JSON
 * inside JSON too), percent-encoded, and inside base64 of either alphabet at any alignment.
 *
 * @param wire what a test platform recorded: {@link TestEngine.wire}, {@link TestQstash.wire}
 * @param needles texts that must not be there, each 6 characters or longer
 * @returns at most one hit for each needle in each body, URL and header; empty when nothing leaked
 * @throws StepsealError `CONFIG` when a needle is too short
 *
 * @example
 * ```ts
 * import { findPlaintext } from "stepseal/testing";
 *
 * const wire = [
 *   { channel: "event", method: "POST", url: "http://inngest.test/e/key", headers: {}, body: '"marguerite"' },
 * ] as const;
 * console.log(findPlaintext(wire, ["marguerite"]).map((hit) => hit.where)); // [ "body" ]
 * ```
 */
export function findPlaintext(wire: readonly WireEntry[], needles: readonly string[]): PlaintextHit[] {
  const forms = new Map<string, Set<string>>();
  needles.forEach((needle, index) => {
    if (typeof needle !== "string" || needle.length < SHORTEST) {
      throw new StepsealError(
        "CONFIG",
        `findPlaintext: needle ${index} is shorter than ${SHORTEST} characters and would be hit by chance`,
      );
    }
    forms.set(needle, encodedForms(needle));
  });
  const hits: PlaintextHit[] = [];
  wire.forEach((entry, at) => {
    const places = [
      { where: "body" as const, text: entry.body, header: undefined },
      { where: "url" as const, text: entry.url, header: undefined },
      ...Object.entries(entry.headers).map(([name, value]) => ({
        where: "header" as const,
        text: value,
        header: name,
      })),
    ];
    for (const place of places) {
      const texts = readings(place.text);
      for (const [needle, encoded] of forms) {
        const encoding =
          texts.find((reading) => reading.text.includes(needle))?.encoding ??
          (texts.some((reading) => [...encoded].some((form) => reading.text.includes(form)))
            ? "base64"
            : undefined);
        if (encoding === undefined) continue;
        const { where, header } = place;
        const hit = { needle, at, where, channel: entry.channel, encoding, url: entry.url };
        hits.push(header === undefined ? hit : { ...hit, header });
      }
    }
  });
  return hits;
}
