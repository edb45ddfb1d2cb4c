import { StepsealError } from "../errors.ts";
import type { Environment } from "../internal/environment.ts";
import { members } from "../internal/members.ts";

/**
 * Signing keys of Inngest. Each that is not given is looked for in the environment, as the SDK does:
 * `INNGEST_SIGNING_KEY`, `INNGEST_SIGNING_KEY_FALLBACK`. An empty text counts as none.
 */
export interface InngestKeys {
  readonly scheme: "inngest";
  /** `signkey-<env>-<hex>`, or what follows the prefix. */
  readonly signingKey?: string | undefined;
  /** The other key while keys rotate. */
  readonly signingKeyFallback?: string | undefined;
  /** Where the variables are read, on first use. Default: `process.env`. */
  readonly env?: Environment;
}

/**
 * Signing keys of QStash and Upstash Workflow. Where neither is given, both are looked for in the environment:
 * `QSTASH_CURRENT_SIGNING_KEY`, `QSTASH_NEXT_SIGNING_KEY`. An empty text counts as none. `QSTASH_DEV` is not read: the
 * keys of the local server are public.
 */
export interface QstashKeys {
  readonly scheme: "qstash";
  readonly currentSigningKey?: string | undefined;
  /** The key that becomes the current one when keys are rolled. */
  readonly nextSigningKey?: string | undefined;
  /** Where the variables are read, on first use. Default: `process.env`. */
  readonly env?: Environment;
}

/** The two signing keys of one QStash region. */
export interface QstashRegion {
  readonly currentSigningKey: string;
  readonly nextSigningKey?: string | undefined;
}

/** What signers and verifiers of both schemes take. */
export interface ClockOptions {
  /** The time in milliseconds. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Refuses options that a scheme does not have.
 *
 * @param maker the function that was given them
 * @param known names by scheme
 * @throws {StepsealError} CONFIG, also for a scheme that is none
 */
export function checkSchemeOptions(
  options: InngestKeys | QstashKeys,
  maker: string,
  known: Readonly<Record<"inngest" | "qstash", readonly string[]>>,
): void {
  const scheme: unknown = options?.scheme;
  if (scheme !== "inngest" && scheme !== "qstash") {
    throw new StepsealError("CONFIG", `${maker}: scheme: expected "inngest" or "qstash".`);
  }
  members(options, `${maker} options, scheme ${scheme}`, known[scheme]);
}

/** Unix seconds, as they are: not rounded. */
export function secondsOf({ now = Date.now }: ClockOptions): number {
  return now() / 1000;
}

/** A number of seconds from the user. @throws {StepsealError} CONFIG */
export function wholeSeconds(value: number, name: string, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new StepsealError("CONFIG", `${name}: expected a whole number of seconds from 0 to ${max}.`);
  }
  return value;
}
