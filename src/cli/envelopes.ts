import type { Claims } from "../claims.ts";
import { type CodecOptions, decodeBytes, MAX_PLAINTEXT_BYTES, maxContentBytes } from "../codec.ts";
import {
  closeEnvelope,
  type Envelope,
  openEnvelope,
  type ReadEnvelope,
  readEnvelope,
  sealEnvelope,
} from "../envelope.ts";
import { StepsealError } from "../errors.ts";
import { RAW } from "../internal/flags.ts";
import { readUtf8 } from "../internal/utf8.ts";
import { type Keyring, openingKey, sealingKey } from "../keyring/keyring.ts";

/** An envelope under its text, `ss1.<kid>.<body>`. */
export function envelopeOf(data: string): Envelope {
  return { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1", data };
}

const LIMITS: CodecOptions = {
  compress: false,
  pad: false,
  maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
  maxInflatedBytes: MAX_PLAINTEXT_BYTES,
};

/** What was sealed, and what it claims to be. */
interface Opened {
  readonly claims: Claims;
  /** The value as JSON on one line, spelt as it was sealed; raw bytes as base64 in a string, undefined as null. */
  readonly json: string;
}

/**
 * Opens an envelope wherever it stands: its claims are authenticated, but nothing is expected of them.
 *
 * @throws {StepsealError} as `Sealer.open`, but for CONTEXT
 */
export function openAnywhere(data: string, ring: Keyring): Opened {
  return withContent(data, ring, ({ claims, flags }, content) => {
    const plain = decodeBytes(content, flags, LIMITS);
    if ((flags & RAW) !== 0) return { claims, json: JSON.stringify(Buffer.from(plain).toString("base64")) };
    if (plain.length === 0) return { claims, json: "null" };
    return { claims, json: oneLine(plain) };
  });
}

/**
 * Seals the content of an envelope again, under the ring's primary key: the same bytes, claims and flags.
 *
 * @returns the new text, or undefined when it is sealed under that key already
 * @throws {StepsealError} as `openAnywhere`
 */
export function reseal(data: string, ring: Keyring): { text: string; claims: Claims } | undefined {
  return withContent(data, ring, ({ claims, flags, kid }, content) => {
    if (kid === ring.primary) return undefined;
    const { kid: primary, key } = sealingKey(ring, claims.run);
    const sealed = sealEnvelope({ kid: primary, key, flags, claims, scope: claims.scope, content });
    return { text: sealed.data, claims };
  });
}

function withContent<Result>(
  data: string,
  ring: Keyring,
  use: (read: ReadEnvelope, content: Uint8Array) => Result,
): Result {
  const read = readEnvelope(envelopeOf(data), (flags) => maxContentBytes(flags, LIMITS));
  try {
    const content = openEnvelope(read, openingKey(ring, read.kid, read.claims.run));
    try {
      return use(read, content);
    } finally {
      content.fill(0);
    }
  } finally {
    closeEnvelope(read);
  }
}

/** JSON of any spelling without line breaks, which JSON has between its tokens only. */
function oneLine(bytes: Uint8Array): string {
  const text = readUtf8(bytes);
  try {
    if (text === undefined) throw new SyntaxError();
    JSON.parse(text);
  } catch {
    throw new StepsealError(
      "CORRUPT",
      "The opened value is authentic and is not JSON: what sealed it is at fault.",
    );
  }
  return text.includes("\n") || text.includes("\r") ? text.replaceAll(/[\r\n]+/g, " ") : text;
}
