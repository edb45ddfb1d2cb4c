import { ALL_KINDS, digestOf, type PlainClaims } from "./reference.ts";

/** A value as a vector file can hold it. */
export type PlainValue =
  | { readonly json: string }
  | { readonly undefined: true }
  | { readonly raw: string }
  /** A JSON string of this text, repeated and cut to this many characters. */
  | { readonly repeat: string; readonly length: number };

/** A case of what every implementation writes and reads. */
export interface AcceptedCase {
  readonly name: string;
  readonly claims: PlainClaims;
  readonly value: PlainValue;
  readonly deflate?: true;
  readonly pad?: true;
}

const custom = { kind: "custom", name: "vector" };
const text = "All work and no play makes Jack a dull boy. ";

/** Claims as the adapters write them: one set for each kind. */
const PLACES: Readonly<Record<string, PlainClaims>> = {
  "event.field": { event: "shop/order.paid", field: "encrypted" },
  "invoke.field": { fn: "shop-refund", field: "encrypted", parent: digestOf("caller") },
  "step.input": {
    fn: "shop-charge",
    run: "01J000000000000000000000AA",
    step: "a1b2",
    parent: digestOf("trigger"),
  },
  "step.output": {
    fn: "shop-charge",
    run: "01J000000000000000000000AA",
    step: "a1b2",
    parent: digestOf("trigger"),
  },
  "step.error": {
    fn: "shop-charge",
    run: "01J000000000000000000000AA",
    step: "c3d4",
    parent: digestOf("trigger"),
  },
  "fn.output": { fn: "shop-charge", run: "01J000000000000000000000AB", parent: digestOf("caller") },
  "fn.error": { fn: "shop-charge", run: "01J000000000000000000000AB" },
  signal: { name: "approval/17" },
  realtime: { name: "orders/status" },
  "defer.input": { fn: "shop-cleanup" },
  metadata: { name: "audit" },
  custom: { name: "vector" },
};

export const ACCEPTED: readonly AcceptedCase[] = [
  ...ALL_KINDS.map((kind) => ({
    name: `kind ${kind}`,
    claims: { kind, ...PLACES[kind] },
    value: { json: `{"of":"${kind}"}` },
  })),
  { name: "with a scope", claims: { ...custom, scope: "production/eu" }, value: { json: '"scoped"' } },
  { name: "with no claim but the kind", claims: { kind: "custom" }, value: { json: "1" } },
  {
    name: "claims beyond ASCII",
    claims: { ...custom, fn: "größe", step: "步骤 🧾", field: "" },
    value: { json: "1" },
  },
  {
    name: "every claim at once",
    claims: {
      kind: "custom",
      scope: "s",
      fn: "f",
      run: "r",
      step: "t",
      event: "e",
      field: "d",
      name: "n",
      parent: digestOf("all"),
    },
    value: { json: "[]" },
  },
  { name: "bound to a run", claims: { ...custom, run: "run-1" }, value: { json: '"run-bound"' } },
  {
    name: "bound to the run named by no characters",
    claims: { ...custom, run: "" },
    value: { json: '"run-bound"' },
  },
  { name: "undefined", claims: custom, value: { undefined: true } },
  { name: "null", claims: custom, value: { json: "null" } },
  { name: "false", claims: custom, value: { json: "false" } },
  { name: "zero", claims: custom, value: { json: "0" } },
  { name: "the empty string", claims: custom, value: { json: '""' } },
  { name: "an astral string", claims: custom, value: { json: '"🧾 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \\u0000"' } },
  { name: "half of a surrogate pair", claims: custom, value: { json: '"\\ud83d"' } },
  {
    name: "a nested object with a key named __proto__",
    claims: custom,
    value: { json: '{"a":[1,2.5,{"b":[[],{}]}],"__proto__":{"polluted":true},"c":null}' },
  },
  { name: "raw bytes", claims: custom, value: { raw: "00ff80c328007f" } },
  { name: "no raw bytes", claims: custom, value: { raw: "" } },
  { name: "a megabyte", claims: custom, value: { repeat: text, length: 2 ** 20 } },
  { name: "compressed", claims: custom, value: { repeat: text, length: 600 }, deflate: true },
  { name: "compressed raw bytes", claims: custom, value: { raw: "ab".repeat(300) }, deflate: true },
  { name: "padded", claims: custom, value: { repeat: text, length: 100 }, pad: true },
  { name: "padded undefined", claims: custom, value: { undefined: true }, pad: true },
  { name: "padded raw bytes that end like padding", claims: custom, value: { raw: "018000" }, pad: true },
  {
    name: "compressed and padded",
    claims: custom,
    value: { repeat: text, length: 2000 },
    deflate: true,
    pad: true,
  },
];

/** The bytes of a value before compression and padding, and the flag that says what they are. */
export function plainBytes(value: PlainValue): { bytes: Buffer; raw: boolean } {
  if ("undefined" in value) return { bytes: Buffer.alloc(0), raw: false };
  if ("raw" in value) return { bytes: Buffer.from(value.raw, "hex"), raw: true };
  if ("json" in value) return { bytes: Buffer.from(value.json), raw: false };
  return { bytes: Buffer.from(JSON.stringify(repeated(value))), raw: false };
}

/** The value itself. */
export function valueIn(value: PlainValue): unknown {
  if ("undefined" in value) return undefined;
  if ("raw" in value) return Uint8Array.from(Buffer.from(value.raw, "hex"));
  return "json" in value ? JSON.parse(value.json) : repeated(value);
}

function repeated({ repeat, length }: { repeat: string; length: number }): string {
  return repeat.repeat(Math.ceil(length / repeat.length)).slice(0, length);
}
