import type { Envelope, Keyring, OpenExpected } from "stepseal";
import acceptedFile from "../vectors/v1/accepted.json" with { type: "json" };
import rejectedFile from "../vectors/v1/rejected.json" with { type: "json" };
import runKeysFile from "../vectors/v1/run-keys.json" with { type: "json" };
import { fromHex } from "./reference.ts";

/** A value as the files hold it. */
type PlainValue =
  | { readonly json: string }
  | { readonly undefined: true }
  | { readonly raw: string }
  | { readonly repeat: string; readonly length: number };

/** A message that every implementation writes and reads. A long one is given as digests. */
export interface AcceptedVector {
  readonly name: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly value: PlainValue;
  readonly flags: number;
  readonly nonce: string;
  readonly content?: string;
  readonly envelope?: Envelope;
  readonly contentSha256?: string;
  readonly dataSha256?: string;
}

interface RejectedVector {
  readonly name: string;
  readonly code: string;
  readonly envelope: unknown;
  readonly expected?: Readonly<Record<string, unknown>>;
  readonly scope?: string;
  readonly ring?: string;
}

export const KEYS: Readonly<Record<"A" | "B", { root: string; text: string; kid: string }>> =
  acceptedFile.keys;
export const ACCEPTED = acceptedFile.vectors as unknown as readonly AcceptedVector[];
export const REJECTED = rejectedFile.vectors as unknown as readonly RejectedVector[];
/** What a reader requires where a rejected case does not say otherwise. */
export const EXPECTED: Readonly<Record<string, unknown>> = rejectedFile.expected;
export const RUN_KEYS = runKeysFile.vectors as readonly { key: "A" | "B"; run: string; text: string }[];

const [A, B] = [KEYS.A, KEYS.B];
const withA = (state: "disabled" | "compromised") => ({
  keys: [
    { key: B.text, state: "primary" as const },
    { key: A.text, state },
  ],
});

/** The rings that the files name. */
export function ringsOf({ createKeyring }: typeof import("stepseal")): Readonly<Record<string, Keyring>> {
  return {
    A: createKeyring({ key: A.text }),
    B: createKeyring({ key: B.text }),
    "B with A": createKeyring({ key: B.text, fallbackKeys: [A.text] }),
    "A disabled": createKeyring(withA("disabled")),
    "A compromised": createKeyring(withA("compromised")),
    "A destroyed": createKeyring({
      keys: [
        { key: B.text, state: "primary" },
        { kid: A.kid, state: "destroyed", destroyedAt: "2026-01-31" },
      ],
    }),
  };
}

/** Claims of the files as the code has them, the scope apart. */
export function claimsOf(plain: Readonly<Record<string, unknown>>): { scope?: string; claims: OpenExpected } {
  const { scope, parent, ...rest } = plain;
  const claims = parent === undefined ? rest : { ...rest, parent: fromHex(String(parent)) };
  return {
    ...(scope === undefined ? {} : { scope: String(scope) }),
    claims: claims as unknown as OpenExpected,
  };
}

export function valueIn(value: PlainValue): unknown {
  if ("undefined" in value) return undefined;
  if ("raw" in value) return fromHex(value.raw);
  if ("json" in value) return JSON.parse(value.json);
  return value.repeat.repeat(Math.ceil(value.length / value.repeat.length)).slice(0, value.length);
}
