import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { createTestEngine, type Run, type TestEngine, type TestEngineOptions } from "stepseal/testing";
import { expect } from "vitest";
import { hashStepId } from "../../src/testing/ids.ts";
import { type Build, createApp } from "../adapters/inngest/harness.ts";

/** Hashed ids of the steps of the victim functions. */
export const A: string = hashStepId("a");
export const B: string = hashStepId("b");

export interface Victim {
  readonly engine: TestEngine;
  /** The runs of "pay", asleep, oldest first. */
  readonly runs: readonly Run[];
  /** What user code saw since the last `mark()`: values, and whether its `catch` or `finally` ran. */
  readonly seen: unknown[];
  /** What the app logged. */
  readonly log: string[];
}

export interface VictimOptions {
  readonly checkpointing: boolean;
  readonly seal?: EncryptionMiddlewareOptions;
  readonly engineOptions?: TestEngineOptions;
  /** Of "pay" and "refund". Default 0. */
  readonly retries?: 0 | 4;
  /** How many events start a run of "pay". Default 1. */
  readonly orders?: number;
}

const loggerTo = (log: string[]) => {
  const write = (...parts: unknown[]): void => {
    log.push(parts.map((part) => (part instanceof Error ? part.message : JSON.stringify(part))).join(" "));
  };
  return { info: write, warn: write, error: write, debug: write };
};

/** Two functions, "pay" and "refund", that keep two results, sleep an hour, and then look at what they get. */
export const victims =
  (seen: unknown[], retries: 0 | 4 = 0): Build =>
  (inngest) =>
    ["pay", "refund"].map((id) =>
      inngest.createFunction({ id, triggers: { event: `shop/${id}` }, retries }, async ({ event, step }) => {
        try {
          const n = event.data.n;
          const a = await step.run("a", () => ({ secret: `${id}-a-${n}` }));
          seen.push(a);
          const b = await step.run("b", () => ({ secret: `${id}-b-${n}` }));
          seen.push(b);
          await step.sleep("nap", "1h");
          seen.push("awake", event.data.encrypted);
          return { done: n };
        } catch (error) {
          seen.push("caught", error);
          throw error;
        } finally {
          seen.push("finally");
        }
      }),
    );

/** Runs "pay" and "refund" up to their sleep. */
export async function victim({
  checkpointing,
  seal = {},
  engineOptions = {},
  orders = 1,
  retries = 0,
}: VictimOptions): Promise<Victim> {
  const seen: unknown[] = [];
  const log: string[] = [];
  const engine = createTestEngine({ requestTimeout: 5000, ...engineOptions });
  const { inngest } = await createApp(victims(seen, retries), {
    engine,
    checkpointing,
    seal,
    client: { logger: loggerTo(log) },
  });
  for (let n = 1; n <= orders; n++) {
    await inngest.send({ name: "shop/pay", data: { n, encrypted: { card: `card-${n}` } } });
  }
  await inngest.send({ name: "shop/refund", data: { n: 1, encrypted: { card: "card-1" } } });
  await engine.idle();
  seen.length = 0;
  return { engine, runs: engine.runsOf("pay"), seen, log };
}

/** The error a run ended with, as the platform stored it. */
export function stored(run: Run | undefined): string {
  return JSON.stringify(run?.error);
}

/** A refused run: failed, with an error that says why and where, and nothing of it seen by user code. */
export function expectRefused(
  run: Run | undefined,
  seen: readonly unknown[],
  ...says: (string | RegExp)[]
): void {
  expect(seen).toEqual([]);
  expect(run?.status).toBe("failed");
  for (const text of says) expect(stored(run)).toMatch(text);
}

/** A deep copy of what the platform stores of a run's steps. */
export function storedSteps(run: Run): unknown {
  return structuredClone(Object.fromEntries(run.steps));
}
