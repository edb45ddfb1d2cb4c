import { createTestEngine, type TestEngineOptions, type WireEntry } from "stepseal/testing";
import { vi } from "vitest";
import { describeValue } from "./describe-value.ts";
import { type AppOptions, createApp } from "./harness.ts";
import { playOnce, type Scenario, type See } from "./scenarios/scenario.ts";

const START = Date.UTC(2031, 0, 1);

/** Everything about one play of a scenario that has to be the same with stepseal as without. */
export interface Observation {
  /** What user code saw, in order, and when: milliseconds of the virtual clock since the start. */
  readonly seen: readonly { readonly at: number; readonly what: string; readonly value: unknown }[];
  readonly runs: readonly object[];
  /** Every request of the platform and every call of its API, in order. */
  readonly wire: readonly string[];
}

/** Plays a scenario. `seal: null` is without stepseal. */
export async function observe(
  scenario: Scenario,
  options: Pick<AppOptions, "seal" | "checkpointing"> & { readonly engineOptions?: TestEngineOptions },
): Promise<Observation> {
  // The SDK reads the real clock for an event's time; it stands still here.
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  try {
    return await play(scenario, options);
  } finally {
    vi.useRealTimers();
  }
}

async function play(scenario: Scenario, options: Parameters<typeof observe>[1]): Promise<Observation> {
  const engine = createTestEngine({ now: START, ...options.engineOptions });
  const seen: { at: number; what: string; value: unknown }[] = [];
  const see: See = (what, value) => seen.push({ at: engine.now - START, what, value: describeValue(value) });
  const { inngest } = await createApp((client) => [...scenario.build(client, see), listener(client, see)], {
    ...options,
    engine,
    middleware: scenario.middleware?.(see) ?? [],
  });
  await (scenario.play ?? playOnce)({ engine, inngest, see });
  const runs = engine.runs.map(({ functionId, status, attempts, requests, steps }) => ({
    functionId,
    status,
    attempts,
    requests,
    steps: [...steps.keys()],
  }));
  // RULE "streams": SDKs before 4.6 tell the end of each run to a stream that nobody reads, too, and ignore a refusal.
  const wire = engine.wire.filter(({ url }) => !url.includes("/realtime/publish/tee"));
  return withoutIds({ seen, runs, wire: wire.map(callOf) });
}

/** Sees every run's end as another function of the app sees it. */
function listener(inngest: Parameters<Scenario["build"]>[0], see: See) {
  return inngest.createFunction(
    {
      id: "listener",
      triggers: ["finished", "failed", "cancelled"].map((end) => ({ event: `inngest/function.${end}` })),
    },
    async ({ event }) => see(`listener: ${event.name}`, event.data),
  );
}

/** A message as method, path, status, and the ops in it, without their data. */
function callOf({ channel, method, url, status, body, functionId }: WireEntry): string {
  const { pathname, searchParams } = new URL(url);
  const step = searchParams.get("stepId");
  const content = channel === "api" || status === 206 ? opsOf(body) : undefined;
  return [channel, method, pathname, functionId, step, status, content].filter(Boolean).join(" ");
}

/** The ops of a checkpoint or of an answer. */
function opsOf(body: string): string {
  if (body === "") return "";
  const parsed = JSON.parse(body) as { op?: string; id?: string; steps?: unknown };
  const ops = Array.isArray(parsed) ? parsed : Array.isArray(parsed.steps) ? parsed.steps : [parsed];
  return ops.map((op) => `${op.op}:${op.id}`).join(",");
}

const ID = /\b[0-9A-HJKMNP-TV-Z]{26}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** RULE "ids": ids are random; the first one seen becomes `<id 1>`, and so on, so which is which is compared. */
function withoutIds(observation: Observation): Observation {
  const names = new Map<string, string>();
  const text = JSON.stringify(observation).replace(ID, (id) => {
    if (!names.has(id)) names.set(id, `<id ${names.size + 1}>`);
    return names.get(id)!;
  });
  return JSON.parse(text) as Observation;
}
