import { kid } from "../keyring/roots.ts";
import {
  ALL_KINDS,
  body,
  claimBytes,
  deflated,
  digestOf,
  envelope,
  type Message,
  nonceOf,
  type PlainClaims,
  padded,
  tlv,
  wrap,
} from "./reference.ts";

/** Rings a vector can be opened with, by name; see `rings` in the test. */
export type RingName = "A" | "B with A" | "B" | "A disabled" | "A compromised" | "A destroyed";

/** A case of what every implementation refuses, and how. */
export interface RejectedCase {
  readonly name: string;
  readonly code: string;
  readonly envelope: unknown;
  /** Default: what the well-formed message has. */
  readonly expected?: Readonly<Record<string, unknown>>;
  readonly scope?: string;
  /** Default: A. */
  readonly ring?: RingName;
}

const A = kid("vector A");
const CLAIMS: PlainClaims = {
  kind: "custom",
  fn: "app-fn",
  run: "run-1",
  step: "step-1",
  event: "app/event",
  field: "encrypted",
  name: "vector",
  parent: digestOf("place"),
};

/** What the reader requires where a case does not say otherwise: every claim. */
export const EXPECTED: Readonly<Record<string, unknown>> = CLAIMS as Readonly<Record<string, unknown>>;

/** A reader that asks for no more than one of all kinds. */
const ANYTHING = { kind: ALL_KINDS };

const GOOD: Message = {
  key: "vector A",
  run: "run-1",
  claims: claimBytes(CLAIMS),
  nonce: nonceOf("rejected"),
  content: Buffer.from('{"total":4200}'),
};
const bytes = body(GOOD);
const good = envelope(A, bytes);
const text = good.data.slice(`ss1.${A}.`.length);
const nonceAt = 4 + GOOD.claims.length;

/** The well-formed message made anew with other parts, so that it is authentic all the same. */
const authentic = (parts: Partial<Message>): unknown => envelope(A, body({ ...GOOD, ...parts }));
/** The well-formed message with one byte changed in transit. */
const altered = (at: number, to: (byte: number) => number): unknown => {
  const copy = Buffer.from(bytes);
  copy[at] = to(copy[at]!);
  return envelope(A, copy);
};
const cut = (length: number): unknown => envelope(A, bytes.subarray(0, length));
const withText = (body: string): unknown => wrap(`ss1.${A}.${body}`);
const claims = (...parts: Uint8Array[]): Partial<Message> => ({
  claims: Buffer.concat(parts),
  run: undefined,
});
const kindClaim = tlv(1, Uint8Array.of(64));
const otherwise = (change: PlainClaims): Readonly<Record<string, unknown>> => ({ ...EXPECTED, ...change });

const CONTEXT_CASES: readonly RejectedCase[] = [
  { name: "another kind", code: "CONTEXT", envelope: good, expected: otherwise({ kind: "step.output" }) },
  {
    name: "none of several kinds",
    code: "CONTEXT",
    envelope: good,
    expected: { kind: ["signal", "realtime"] },
  },
  { name: "another function", code: "CONTEXT", envelope: good, expected: otherwise({ fn: "app-other" }) },
  { name: "another run", code: "CONTEXT", envelope: good, expected: otherwise({ run: "run-2" }) },
  { name: "another step", code: "CONTEXT", envelope: good, expected: otherwise({ step: "step-2" }) },
  { name: "another event", code: "CONTEXT", envelope: good, expected: otherwise({ event: "app/other" }) },
  { name: "another field", code: "CONTEXT", envelope: good, expected: otherwise({ field: "secret" }) },
  { name: "another name", code: "CONTEXT", envelope: good, expected: otherwise({ name: "Vector" }) },
  {
    name: "another parent",
    code: "CONTEXT",
    envelope: good,
    expected: otherwise({ parent: digestOf("other") }),
  },
  {
    name: "a claim that is missing",
    code: "CONTEXT",
    envelope: authentic(claims(kindClaim)),
    expected: { kind: "custom", step: "step-1" },
  },
  {
    name: "a parent that is missing",
    code: "CONTEXT",
    envelope: authentic(claims(kindClaim)),
    expected: { kind: "custom", parent: digestOf("place") },
  },
  { name: "no scope for a reader with one", code: "CONTEXT", envelope: good, scope: "production" },
  {
    name: "a scope for a reader without one",
    code: "CONTEXT",
    envelope: authentic(claims(kindClaim, tlv(2, "production"))),
    expected: { kind: "custom" },
  },
  {
    name: "another scope",
    code: "CONTEXT",
    envelope: authentic(claims(kindClaim, tlv(2, "production"))),
    expected: { kind: "custom" },
    scope: "staging",
  },
];

const ALTERED_CASES: readonly RejectedCase[] = [
  { name: "suite 0", code: "UNSUPPORTED", envelope: authentic({ suite: 0 }) },
  { name: "suite 2, which is reserved", code: "UNSUPPORTED", envelope: authentic({ suite: 2 }) },
  { name: "suite 255", code: "UNSUPPORTED", envelope: authentic({ suite: 255 }) },
  ...[3, 4, 5, 6, 7].map((bit) => ({
    name: `unknown flag, bit ${bit}`,
    code: "UNSUPPORTED",
    envelope: authentic({ flags: 1 << bit }),
  })),
  ...[0, 1, 2].map((bit) => ({
    name: `known flag set in transit, bit ${bit}`,
    code: "CORRUPT",
    envelope: altered(1, (flags) => flags ^ (1 << bit)),
  })),
  { name: "claimsLen one less", code: "FORMAT", envelope: altered(3, (byte) => byte - 1) },
  { name: "claimsLen one more", code: "FORMAT", envelope: altered(3, (byte) => byte + 1) },
  { name: "claimsLen 0", code: "FORMAT", envelope: altered(3, () => 0) },
  { name: "claimsLen beyond the body", code: "FORMAT", envelope: altered(2, () => 255) },
  {
    name: "claims changed in transit, kind",
    code: "CORRUPT",
    envelope: altered(7, () => 4),
    expected: ANYTHING,
  },
  {
    name: "claims changed in transit, function",
    code: "CORRUPT",
    envelope: altered(11, (byte) => byte ^ 1),
    expected: ANYTHING,
  },
  {
    name: "claims changed in transit, run",
    code: "CORRUPT",
    envelope: altered(20, (byte) => byte ^ 1),
    expected: ANYTHING,
  },
  { name: "nonce changed, first byte", code: "CORRUPT", envelope: altered(nonceAt, (byte) => byte ^ 1) },
  {
    name: "nonce changed, last byte",
    code: "CORRUPT",
    envelope: altered(nonceAt + 23, (byte) => byte ^ 128),
  },
  { name: "ciphertext changed", code: "CORRUPT", envelope: altered(nonceAt + 24, (byte) => byte ^ 1) },
  { name: "tag changed", code: "CORRUPT", envelope: altered(bytes.length - 1, (byte) => byte ^ 1) },
  { name: "a byte added", code: "CORRUPT", envelope: envelope(A, Buffer.concat([bytes, Buffer.alloc(1)])) },
  {
    name: "kid of another key of the ring",
    code: "CORRUPT",
    envelope: envelope(kid("vector B"), bytes),
    ring: "B with A",
  },
  { name: "sealed under the key for no run", code: "CORRUPT", envelope: authentic({ run: undefined }) },
  { name: "sealed under another run's key", code: "CORRUPT", envelope: authentic({ run: "run-2" }) },
];

const TRUNCATED_CASES: readonly RejectedCase[] = [
  { name: "no data", code: "FORMAT", envelope: wrap("") },
  { name: "prefix alone", code: "FORMAT", envelope: wrap("ss1.") },
  { name: "prefix and kid", code: "FORMAT", envelope: wrap(`ss1.${A}`) },
  { name: "prefix, kid and dot", code: "FORMAT", envelope: wrap(`ss1.${A}.`) },
  { name: "one character of the body", code: "FORMAT", envelope: withText("A") },
  { name: "suite and flags alone", code: "FORMAT", envelope: cut(2) },
  { name: "header alone", code: "FORMAT", envelope: cut(4) },
  { name: "cut within the claims", code: "FORMAT", envelope: cut(30) },
  { name: "cut after the claims", code: "FORMAT", envelope: cut(nonceAt) },
  { name: "cut within the nonce", code: "FORMAT", envelope: cut(nonceAt + 12) },
  { name: "cut within the tag", code: "FORMAT", envelope: cut(nonceAt + 24 + 15) },
  { name: "cut to the length of a tag", code: "CORRUPT", envelope: cut(nonceAt + 24 + 16) },
  { name: "the last byte missing", code: "CORRUPT", envelope: cut(bytes.length - 1) },
];

// 3 bytes of claims value more give a body whose text ends in 2 or 3 characters, with bits to spare.
const loose = Buffer.concat([bytes, Buffer.alloc((3 - (bytes.length % 3) + 1) % 3)]).toString("base64url");
const looseEnd = (add: number): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return loose.slice(0, -1) + alphabet[alphabet.indexOf(loose.at(-1)!) + add];
};
const within = (piece: string): string => text.slice(0, 20) + piece + text.slice(20 + piece.length);

const ENCODING_CASES: readonly RejectedCase[] = [
  { name: "padding", code: "FORMAT", envelope: withText(`${loose}==`) },
  { name: "half the padding", code: "FORMAT", envelope: withText(`${loose}=`) },
  { name: "padding within", code: "FORMAT", envelope: withText(within("=")) },
  { name: "a plus sign", code: "FORMAT", envelope: withText(within("+")) },
  { name: "a slash", code: "FORMAT", envelope: withText(within("/")) },
  { name: "a space", code: "FORMAT", envelope: withText(within(" ")) },
  { name: "a space added", code: "FORMAT", envelope: withText(`${text.slice(0, 20)} ${text.slice(20)}`) },
  { name: "a line break at the end", code: "FORMAT", envelope: withText(`${text}\n`) },
  { name: "a space before", code: "FORMAT", envelope: withText(` ${text}`) },
  { name: "a dot", code: "FORMAT", envelope: withText(within(".")) },
  { name: "U+0141, whose low byte is that of A", code: "FORMAT", envelope: withText(within("\u0141")) },
  { name: "a Latin letter beyond ASCII", code: "FORMAT", envelope: withText(within("é")) },
  { name: "an astral character", code: "FORMAT", envelope: withText(within("🧾")) },
  ...[1, 2, 8, 15].map((add) => ({
    name: `trailing bits, ${add}`,
    code: "FORMAT",
    envelope: withText(looseEnd(add)),
  })),
  { name: "kid in upper case", code: "FORMAT", envelope: wrap(good.data.replace(A, A.toUpperCase())) },
  { name: "kid with another letter", code: "FORMAT", envelope: wrap(good.data.replace(A, `g${A.slice(1)}`)) },
  { name: "kid too short", code: "FORMAT", envelope: wrap(good.data.replace(A, A.slice(1))) },
  { name: "kid too long", code: "FORMAT", envelope: wrap(good.data.replace(A, `0${A}`)) },
  { name: "another prefix", code: "FORMAT", envelope: wrap(good.data.replace("ss1.", "ss2.")) },
  { name: "prefix in upper case", code: "FORMAT", envelope: wrap(good.data.replace("ss1.", "SS1.")) },
  { name: "a space before the prefix", code: "FORMAT", envelope: wrap(` ${good.data}`) },
];

const CLAIM_CASES: readonly RejectedCase[] = [
  { name: "no claims", code: "FORMAT", envelope: authentic(claims()) },
  { name: "no kind", code: "FORMAT", envelope: authentic(claims(tlv(8, "vector"))) },
  { name: "kind of two bytes", code: "FORMAT", envelope: authentic(claims(tlv(1, Uint8Array.of(64, 64)))) },
  { name: "kind of no bytes", code: "FORMAT", envelope: authentic(claims(tlv(1, ""))) },
  { name: "kind 0", code: "UNSUPPORTED", envelope: authentic(claims(tlv(1, Uint8Array.of(0)))) },
  { name: "kind 12", code: "UNSUPPORTED", envelope: authentic(claims(tlv(1, Uint8Array.of(12)))) },
  { name: "kind 65", code: "UNSUPPORTED", envelope: authentic(claims(tlv(1, Uint8Array.of(65)))) },
  ...[0, 10, 31, 32, 63, 64, 255].map((tag) => ({
    name: `unknown tag ${tag}`,
    code: "UNSUPPORTED",
    envelope: authentic(tag === 0 ? claims(tlv(0, "x"), kindClaim) : claims(kindClaim, tlv(tag, "x"))),
  })),
  {
    name: "tags out of order",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, tlv(5, "x"), tlv(3, "x"))),
  },
  { name: "kind not first", code: "FORMAT", envelope: authentic(claims(tlv(8, "x"), kindClaim)) },
  { name: "a claim twice", code: "FORMAT", envelope: authentic(claims(kindClaim, tlv(8, "x"), tlv(8, "x"))) },
  {
    name: "a claim cut in its tag",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, Uint8Array.of(8))),
  },
  {
    name: "a claim cut in its length",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, Uint8Array.of(8, 0))),
  },
  {
    name: "a claim cut in its value",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, Uint8Array.of(8, 0, 2, 65))),
  },
  {
    name: "claims of 4097 bytes",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, tlv(8, "x".repeat(4097 - 7)))),
  },
  {
    name: "parent of 31 bytes",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, tlv(9, Buffer.alloc(31)))),
  },
  {
    name: "parent of 33 bytes",
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, tlv(9, Buffer.alloc(33)))),
  },
  ...(
    [
      ["a stray continuation byte", [0x80]],
      ["an overlong form", [0xc0, 0xaf]],
      ["a surrogate", [0xed, 0xa0, 0x80]],
      ["a character cut short", [0xe2, 0x82]],
      ["a number beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
    ] as const
  ).map(([what, value]) => ({
    name: `a claim in UTF-8 with ${what}`,
    code: "FORMAT",
    envelope: authentic(claims(kindClaim, tlv(8, Uint8Array.from(value)))),
  })),
];

const KEY_CASES: readonly RejectedCase[] = [
  { name: "a key the ring does not hold", code: "UNKNOWN_KEY", envelope: good, ring: "B" },
  {
    name: "a missing key before a wrong place",
    code: "UNKNOWN_KEY",
    envelope: good,
    ring: "B",
    expected: otherwise({ fn: "app-other" }),
  },
  { name: "a disabled key", code: "KEY_DISABLED", envelope: good, ring: "A disabled" },
  { name: "a compromised key", code: "KEY_COMPROMISED", envelope: good, ring: "A compromised" },
  { name: "a destroyed key", code: "KEY_DESTROYED", envelope: good, ring: "A destroyed" },
];

const SHAPE_CASES: readonly RejectedCase[] = [
  ...([null, false, 0, "", "plaintext", [], {}, { total: 4200 }, { data: "ss1." }] as const).map((value) => ({
    name: `plaintext: ${JSON.stringify(value)}`,
    code: "PLAINTEXT_REJECTED",
    envelope: value,
  })),
  { name: "the text without its object", code: "PLAINTEXT_REJECTED", envelope: good.data },
  { name: "marker false", code: "FORMAT", envelope: { ...good, __ENCRYPTED__: false } },
  { name: "marker as text", code: "FORMAT", envelope: { ...good, __ENCRYPTED__: "true" } },
  { name: "no data field", code: "FORMAT", envelope: { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v1" } },
  { name: "data that is no text", code: "FORMAT", envelope: { ...good, data: [good.data] } },
  { name: "another strategy", code: "FORMAT", envelope: { ...good, __STRATEGY__: "someone/else" } },
  { name: "a later version", code: "UNSUPPORTED", envelope: { ...good, __STRATEGY__: "stepseal/v2" } },
  {
    name: "the official strategy",
    code: "LEGACY_NO_KEY",
    envelope: { ...good, __STRATEGY__: "inngest/libsodium" },
  },
];

const CONTENT_CASES: readonly RejectedCase[] = [
  {
    name: "content that is no JSON",
    code: "CORRUPT",
    envelope: authentic({ content: Buffer.from("{total:1}") }),
  },
  {
    name: "content that is no UTF-8",
    code: "CORRUPT",
    envelope: authentic({ content: Buffer.from([0x22, 0xff, 0x22]) }),
  },
  {
    name: "a byte order mark before the JSON",
    code: "CORRUPT",
    envelope: authentic({ content: Buffer.from("\ufeff1") }),
  },
  {
    name: "padded, without the end byte",
    code: "CORRUPT",
    envelope: authentic({ flags: 2, content: Buffer.from("1\0") }),
  },
  {
    name: "padded, nothing but zeros",
    code: "CORRUPT",
    envelope: authentic({ flags: 2, content: Buffer.alloc(8) }),
  },
  { name: "padded, empty", code: "CORRUPT", envelope: authentic({ flags: 2, content: Buffer.alloc(0) }) },
  {
    name: "padded too far",
    code: "CORRUPT",
    envelope: authentic({
      flags: 2,
      content: Buffer.concat([padded(Buffer.from("12345678901")), Buffer.alloc(2)]),
    }),
  },
  {
    name: "padded too little",
    code: "CORRUPT",
    envelope: authentic({ flags: 2, content: Buffer.from("1234567890123456\x80", "latin1") }),
  },
  {
    name: "deflated, and no deflate",
    code: "CORRUPT",
    envelope: authentic({ flags: 1, content: Buffer.from([7]) }),
  },
  {
    name: "deflated, and empty",
    code: "CORRUPT",
    envelope: authentic({ flags: 1, content: Buffer.alloc(0) }),
  },
  {
    name: "deflated, and cut",
    code: "CORRUPT",
    envelope: authentic({ flags: 1, content: deflated(Buffer.from('"cut cut cut"')).subarray(0, 8) }),
  },
  {
    name: "a deflate bomb",
    code: "INFLATE_LIMIT",
    envelope: authentic({ flags: 1, content: deflated(Buffer.alloc(16 * 2 ** 20 + 1, "1")) }),
  },
];

export const REJECTED: readonly RejectedCase[] = [
  ...CONTEXT_CASES,
  ...ALTERED_CASES,
  ...TRUNCATED_CASES,
  ...ENCODING_CASES,
  ...CLAIM_CASES,
  ...KEY_CASES,
  ...SHAPE_CASES,
  ...CONTENT_CASES,
];
