import { StepsealError } from "../errors.ts";
import { members, namesOf } from "../internal/members.ts";
import { encodeUtf8, readUtf8 } from "../internal/utf8.ts";
import { type ClockOptions, secondsOf } from "./options.ts";
import { SignatureError } from "./signature-error.ts";

/**
 * Remembers signatures that were accepted. Redis is one, with `SET key 1 NX EX seconds`.
 *
 * Every process that answers for one endpoint must share one store, or a signature is good once in each.
 */
export interface ReplayStore {
  /**
   * Remembers a key, in one step with looking it up.
   *
   * @param key `inngest:…` or `qstash:…`, up to 80 ASCII characters
   * @param seconds how long to remember it, a whole number of at least 1
   * @returns true where the key is new, false where it is remembered already. What throws or rejects refuses the
   * request: a store that does not answer lets nothing through
   */
  claim(key: string, seconds: number): boolean | Promise<boolean>;
}

/** Options of `memoryReplayStore`. */
export interface MemoryReplayOptions extends ClockOptions {
  /** Signatures remembered at once, about 170 bytes each. Default 200 000: over 500 requests a second. */
  readonly maxEntries?: number;
}

const OPTIONS = namesOf<MemoryReplayOptions>({ maxEntries: true, now: true });

/** Seconds between two sweeps. Looking at all entries more often would make a full store slow. */
const SWEEP_EVERY = 5;
/** Entries outlive the acceptance window by this much: processes that share a store differ in their clocks. */
const CLOCK_SLACK = 60;

/**
 * A replay store in the memory of one process.
 *
 * When it is full of signatures that could still be replayed, it forgets none of them: it refuses new ones, as
 * REPLAY_UNAVAILABLE, until some expire. Only authentic requests take up room, so strangers cannot fill it.
 *
 * @throws {StepsealError} CONFIG for a `maxEntries` that is no whole number of at least 1, or an unknown option
 * @example
 * ```ts
 * import { createVerifier, memoryReplayStore } from "stepseal/transport";
 *
 * createVerifier({ scheme: "inngest", signingKey: "signkey-test-12345678", replay: memoryReplayStore() });
 * ```
 */
export function memoryReplayStore(options: MemoryReplayOptions = {}): ReplayStore {
  members(options, "memoryReplayStore options", OPTIONS);
  const { maxEntries = 200_000 } = options;
  if (!Number.isInteger(maxEntries) || maxEntries < 1) {
    throw new StepsealError("CONFIG", "maxEntries: expected a whole number of at least 1.");
  }
  const expiries = new Map<string, number>();
  let nextSweep = Number.NEGATIVE_INFINITY;
  return Object.freeze({
    claim(key: string, seconds: number): boolean {
      const now = secondsOf(options);
      if (now >= nextSweep) {
        for (const [old, expiry] of expiries) if (expiry <= now) expiries.delete(old);
        nextSweep = now + SWEEP_EVERY;
      }
      const expiry = expiries.get(key);
      if (expiry !== undefined && expiry > now) return false;
      if (expiry === undefined && expiries.size >= maxEntries) {
        throw new SignatureError(
          "REPLAY_UNAVAILABLE",
          `The replay store holds ${maxEntries} signatures and is full.`,
        );
      }
      expiries.set(key, now + seconds);
      return true;
    },
  });
}

/**
 * Claims a signature for one delivery.
 *
 * @param goodUntil the last moment it could be accepted, in Unix seconds
 * @throws {SignatureError} REPLAYED, or REPLAY_UNAVAILABLE where the store throws or answers neither true nor false
 */
export async function claimOnce(
  store: ReplayStore,
  key: string,
  goodUntil: number,
  now: number,
): Promise<void> {
  const seconds = Math.max(1, Math.ceil(goodUntil - now) + CLOCK_SLACK);
  // V8 keeps with a text what it was cut out of, here the whole token, or put together from. A copy is letters alone.
  const copy = readUtf8(encodeUtf8(key)) ?? key;
  let isNew: unknown;
  try {
    isNew = await store.claim(copy, seconds);
  } catch (cause) {
    if (cause instanceof SignatureError) throw cause;
    throw new SignatureError("REPLAY_UNAVAILABLE", "The replay store failed.", { cause });
  }
  if (isNew === true) return;
  if (isNew === false) throw new SignatureError("REPLAYED", "The signature was accepted before.");
  throw new SignatureError("REPLAY_UNAVAILABLE", "The replay store answered neither true nor false.");
}
