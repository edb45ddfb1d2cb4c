import { StepsealError } from "../errors.ts";
import { describe, members, namesOf } from "../internal/members.ts";
import { tell } from "../internal/tell.ts";
import { continueCounts, type Keyring, type KeyringOptions } from "./keyring.ts";
import { loadKeyring, MAX_TIMEOUT_MS } from "./load.ts";

/** Options of {@link createKeyringSource}. Times are in milliseconds. */
export interface KeyringSourceOptions {
  /** Fetches and unwraps the keys. What it returns is kept; what it throws is told with name and code alone. */
  readonly provider: () => KeyringOptions | Keyring | Promise<KeyringOptions | Keyring>;
  /** How old a ring may be before it is fetched again, beside the request that finds it so. Default 300 000. */
  readonly everyMs?: number;
  /** Longest wait for the provider. Default 10 000. */
  readonly timeoutMs?: number;
  /** Shortest time from one refresh to the next, whatever asks for it. Default 30 000. */
  readonly minIntervalMs?: number;
  /** Called with each ring that came in place of another. What it throws is ignored. */
  readonly onRefresh?: (ring: Keyring) => void;
  /** Called when a refresh failed and the ring in use stays. What it throws is ignored. Default `console.error`. */
  readonly onError?: (error: StepsealError) => void;
}

/** A ring that is fetched, kept, and fetched again. Made by {@link createKeyringSource}. */
export interface KeyringSource {
  /**
   * The ring: at once where it is here, else when it has come.
   *
   * @throws {StepsealError} CONFIG when there is none yet and the provider fails or takes too long; the next call
   * asks it again
   */
  get(): Keyring | Promise<Keyring>;
  /**
   * The ring after asking the provider, for a key that the ring at hand does not hold. Calls share one refresh, and
   * within `minIntervalMs` of the last one there is none. A refresh that fails leaves the ring as it is.
   */
  refresh(): Promise<Keyring>;
}

const OPTIONS = namesOf<KeyringSourceOptions>({
  provider: true,
  everyMs: true,
  timeoutMs: true,
  minIntervalMs: true,
  onRefresh: true,
  onError: true,
});
const DEFAULTS = { everyMs: 300_000, timeoutMs: 10_000, minIntervalMs: 30_000 } as const;

const sources = new WeakSet<object>();

/** Whether a value was made by `createKeyringSource` of this copy of the package. */
export function isKeyringSource(value: unknown): value is KeyringSource {
  return typeof value === "object" && value !== null && sources.has(value);
}

/**
 * Makes a source of rings from a provider that unwraps keys (a KMS, Vault, a secret manager), for the option `keyring`
 * of `encryptionMiddleware`. The first request waits for the keys; later ones find them in memory. They are fetched
 * again when they are older than `everyMs`, beside the request, and when something was sealed under a key that the ring
 * does not hold, before that request is refused.
 *
 * @throws {StepsealError} CONFIG, naming the option
 * @example
 * ```ts
 * import { createKeyringSource, generateKey } from "stepseal";
 *
 * const secret = generateKey(); // leave it in your secret manager
 * const keyring = createKeyringSource({ provider: async () => ({ key: secret }), everyMs: 60_000 });
 * // encryptionMiddleware({ keyring })
 * console.log((await keyring.get()).keys.length); // 1
 * ```
 */
export function createKeyringSource(options: KeyringSourceOptions): KeyringSource {
  const { provider, everyMs, timeoutMs, minIntervalMs, onRefresh, onError } = readOptions(options);
  let ring: Keyring | undefined;
  let loadedAt = 0;
  /** When the provider was asked last, and its answer, while there is none. */
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<Keyring> | undefined;

  const ask = (): Promise<Keyring> => {
    askedAt = Date.now();
    const asked = loadKeyring({ provider, timeoutMs }).then((next) => {
      // An answer that came after a younger one is out of date.
      if (ring !== undefined && asking !== asked) return ring;
      if (ring !== undefined) continueCounts(next, ring);
      ring = next;
      loadedAt = Date.now();
      return next;
    });
    asking = asked;
    const over = (): void => {
      if (asking === asked) asking = undefined;
    };
    asked.then(over, over);
    return asked;
  };

  /** The answer to wait for. Past its time none will come: serverless platforms drop work between requests. */
  const underWay = (): Promise<Keyring> | undefined => (passed(askedAt) <= timeoutMs ? asking : undefined);

  const refresh = async (): Promise<void> => {
    const shared = underWay();
    if (shared !== undefined) {
      // Whoever asked reports.
      await shared.catch(() => undefined);
    } else if (passed(askedAt) >= minIntervalMs) {
      await ask().then(
        (next) => tell(onRefresh, next),
        (error: StepsealError) => tell(onError, error),
      );
    }
  };

  const source: KeyringSource = Object.freeze({
    get() {
      if (ring === undefined) return underWay() ?? ask();
      if (passed(loadedAt) >= everyMs) void refresh();
      return ring;
    },
    async refresh() {
      if (ring === undefined) return underWay() ?? ask();
      await refresh();
      return ring;
    },
  });
  sources.add(source);
  return source;
}

/** Milliseconds since a time. A clock that was set back must not stop refreshes until it has caught up. */
function passed(since: number): number {
  const ms = Date.now() - since;
  return ms < 0 ? Number.POSITIVE_INFINITY : ms;
}

function readOptions(given: KeyringSourceOptions): KeyringSourceOptions & {
  everyMs: number;
  timeoutMs: number;
  minIntervalMs: number;
} {
  const options = members(given, "createKeyringSource options", OPTIONS);
  for (const name of ["provider", "onRefresh", "onError"]) {
    const value = options[name];
    if (typeof value === "function" || (value === undefined && name !== "provider")) continue;
    throw config(`${name}: found ${describe(value)}, expected a function.`);
  }
  for (const name of Object.keys(DEFAULTS)) {
    const value = options[name];
    if (value === undefined) continue;
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_TIMEOUT_MS) continue;
    throw config(`${name}: expected a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}.`);
  }
  const { everyMs, timeoutMs, minIntervalMs, ...rest } = given;
  return {
    ...rest,
    onError: rest.onError ?? console.error,
    everyMs: everyMs ?? DEFAULTS.everyMs,
    timeoutMs: timeoutMs ?? DEFAULTS.timeoutMs,
    minIntervalMs: minIntervalMs ?? DEFAULTS.minIntervalMs,
  };
}

function config(problem: string): StepsealError {
  return new StepsealError("CONFIG", `createKeyringSource: ${problem}`);
}
