import type { Claims } from "./claims.ts";
import { inspectEnvelope, isSealed } from "./envelope.ts";
import type { OpenExpected, SealClaims, Sealer } from "./sealer.ts";

/** A sealed value as it stands on the wire: an envelope, or a value in a format of Inngest's own middleware. */
export interface SealedValue {
  readonly __ENCRYPTED__: true;
  readonly __STRATEGY__: string;
  readonly data: string;
  /** Of the official format, bound to a place: kid, claims and tag. See src/legacy/binding.ts. */
  readonly k?: string;
  readonly c?: string;
  readonly t?: string;
}

/** What an adapter seals and opens with: envelope v1, and the older formats where they are configured. */
export interface ValueSealer {
  /** A sealer that seals asynchronously fills the object in later: hand it on, do not copy it. */
  seal(value: unknown, claims: SealClaims): SealedValue;
  sealJson(json: string, claims: SealClaims): SealedValue;
  open(value: unknown, expected: OpenExpected | ((claims: Claims) => OpenExpected)): unknown;
  /** What a sealed value says of itself, which nothing proves yet. Undefined where it says nothing. */
  claimsOf(value: unknown): Claims | undefined;
  /** Whether a value is one of this sealer's where an unsealed one may stand as well. */
  recognises(value: unknown): boolean;
  /** Awaited before anything of `input` is opened, by a sealer that opens asynchronously. */
  prepare?(input: unknown): Promise<void>;
  /**
   * Awaited before what was sealed is written as JSON, by a sealer that seals asynchronously.
   *
   * @throws {SealerUnavailable}
   */
  settled?(): Promise<void>;
}

/** That a sealer outside this process failed: worth a retry, which may find it working again. */
export class SealerUnavailable extends Error {
  override readonly name = "SealerUnavailable";
}

/** Envelope v1 alone. */
export function envelopeSealer(sealer: Sealer): ValueSealer {
  return {
    seal: sealer.seal,
    sealJson: sealer.sealJson,
    open: sealer.open,
    claimsOf: envelopeClaims,
    recognises: isSealed,
  };
}

/** The claims of an envelope v1, not authenticated; undefined for anything else. */
export function envelopeClaims(value: unknown): Claims | undefined {
  if (!isSealed(value)) return undefined;
  try {
    return inspectEnvelope(value).claims;
  } catch {
    return undefined;
  }
}

/** The kid that a sealed value names, or undefined where it names none. */
export function kidOf({ __STRATEGY__, data, k }: SealedValue): string | undefined {
  return __STRATEGY__ === "stepseal/v1" ? data.split(".", 2)[1] : k;
}
