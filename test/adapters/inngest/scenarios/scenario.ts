import type { Inngest, InngestFunction } from "inngest";
import type { TestEngine } from "stepseal/testing";
import type { AppOptions, SDK } from "../harness.ts";

/** Records what user code saw, in order. A thrown value is recorded like any other. */
export type See = (what: string, value: unknown) => void;

/** An app and its story, told twice: without stepseal and with it. */
export interface Scenario {
  readonly name: string;
  readonly build: (inngest: Inngest, see: See) => InngestFunction.Any[];
  /** What happens from outside. Default: one event `go`, and a week passes. */
  readonly play?: (world: World) => Promise<void>;
  /**
   * RULE "code": an error's `code` reaches `onFailure` and lifecycle events with stepseal; without it the platform
   * drops it. The one difference that is meant.
   */
  readonly codeSurvives?: true;
  /** RULE "edited input": an input edited on the platform is plaintext, so it takes `plaintext: "accept"` to be the same. */
  readonly editedInput?: true;
  /** What of the SDK it needs that the oldest one lacks. */
  readonly needs?: keyof typeof SDK;
  readonly middleware?: (see: See) => NonNullable<AppOptions["middleware"]>;
}

export interface World {
  readonly engine: TestEngine;
  readonly inngest: Inngest;
  readonly see: See;
}

export const GO = { name: "go", data: { plain: "open", encrypted: { secret: "sealed", n: 1 } } };

export async function playOnce({ engine, inngest }: World): Promise<void> {
  await inngest.send(GO);
  await engine.advance("7d");
}

/** Sees the value of a promise, or what it was rejected with. */
export async function settle(see: See, what: string, work: () => Promise<unknown>): Promise<void> {
  let value: unknown;
  try {
    value = await work();
  } catch (error) {
    see(`${what}, thrown`, error);
    return;
  }
  see(what, value);
}
