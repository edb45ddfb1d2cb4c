import {
  type EncryptionMiddlewareOptions as OfficialOptions,
  encryptionMiddleware as official,
} from "@inngest/middleware-encryption";
import { type ClientOptions, Inngest, type InngestFunction, type Middleware } from "inngest";
import { serve } from "inngest/edge";
import { createTestEngine, type ServeHandler, type TestEngine } from "stepseal/testing";

/** A passphrase with white space around it, which the official JavaScript trims. */
export const PASSPHRASE = "  correct horse battery staple ";
export const NEXT_PASSPHRASE = "Tr0ub4dor & 3 — ünïcode";

/** The official middleware, as the SDK of the tests types it. */
export const officialMiddleware = (options: OfficialOptions): Middleware.Class =>
  official(options) as unknown as Middleware.Class;

/** What user code saw, and on which kind of pod. */
export interface Sight {
  readonly pod: string;
  readonly what: string;
  readonly value: unknown;
}
export type See = (what: string, value: unknown) => void;
export type Build = (inngest: Inngest, see: See) => InngestFunction.Any[];

/** One pod: an app on the real SDK, with a middleware of its own. */
export interface Pod {
  readonly name: string;
  readonly inngest: Inngest;
  readonly handler: ServeHandler;
}

export interface Fleet {
  readonly engine: TestEngine;
  readonly pods: readonly Pod[];
  readonly seen: Sight[];
  readonly log: string[];
  /** Sends requests to these pods from now on, one after the other. */
  deploy(...names: string[]): void;
  /** Sends each request to the pod that is picked, by the function's id and how many requests it had before. */
  route(pick: (functionId: string, before: number) => string): void;
}

/** Pods of one app behind one address: each execution request goes to the next. */
export async function createFleet(
  build: Build,
  middleware: Readonly<Record<string, Middleware.Class | null>>,
  { checkpointing = false, engine = createTestEngine() }: FleetOptions = {},
): Promise<Fleet> {
  const seen: Sight[] = [];
  const log: string[] = [];
  const write = (...parts: unknown[]): void => {
    log.push(parts.map((part) => (part instanceof Error ? part.message : JSON.stringify(part))).join(" "));
  };
  const pods = Object.entries(middleware).map(([name, Class]): Pod => {
    const inngest = new Inngest({
      id: "app",
      ...engine.clientOptions,
      logger: { info: write, warn: write, error: write, debug: write },
      checkpointing,
      middleware: Class === null ? [] : [Class],
    });
    const functions = build(inngest, (what, value) => seen.push({ pod: name, what, value }));
    return { name, inngest, handler: serve({ client: inngest, functions }) };
  });
  const requests = new Map<string, number>();
  let pick: Parameters<Fleet["route"]>[0];
  const deploy = (...names: string[]): void => {
    let turn = 0;
    pick = () => names[turn++ % names.length]!;
  };
  deploy(...Object.keys(middleware));
  await engine.serve((request) => {
    // Registration is no execution; the functions are the same on every pod.
    if (request.method !== "POST") return pods[0]!.handler(request);
    const functionId = new URL(request.url).searchParams.get("fnId") ?? "";
    const before = requests.get(functionId) ?? 0;
    requests.set(functionId, before + 1);
    const name = pick(functionId, before);
    return pods.find((pod) => pod.name === name)!.handler(request);
  });
  const route: Fleet["route"] = (by) => {
    pick = by;
  };
  return { engine, pods, seen, log, deploy, route };
}

interface FleetOptions {
  readonly checkpointing?: ClientOptions["checkpointing"];
  readonly engine?: TestEngine;
}
