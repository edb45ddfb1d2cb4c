import { type ClientOptions, Inngest, type InngestFunction, serializeError } from "inngest";
import { serve } from "inngest/edge";
import * as experimental from "inngest/experimental";
import { type EncryptionMiddlewareOptions, encryptionMiddleware } from "stepseal/inngest";
import {
  createTestEngine,
  type ServeHandler,
  type TestEngine,
  type TestEngineOptions,
} from "stepseal/testing";
import { keyring } from "./keys.ts";

export { KEY, keyring, OTHER_KEY } from "./keys.ts";

const v4 = process.env.INNGEST_SDK !== "v3";

/**
 * What of the SDK came after its oldest supported version, 4.3.0, or is not in v3, which vitest.config.ts puts in its
 * place: tests of it need one that has it.
 */
export const SDK = {
  /** Middleware as classes, typed events, several steps planned at once. */
  v4,
  experiments: v4,
  streams: v4,
  realtime: "realtime" in new Inngest({ id: "sample" }),
  defers: "createDefer" in experimental,
  scores: "scoreMiddleware" in experimental,
  sandboxes: "sandboxMiddleware" in experimental,
  /** Errors keep the name of a class that the SDK does not know. */
  keepsNames: serializeError(Object.assign(new Error(), { name: "Own" })).name === "Own",
};

/** The SDK logs what fails; these tests make things fail. */
export const quiet = { info() {}, warn() {}, error() {}, debug() {} };

export type Build = (inngest: Inngest) => InngestFunction.Any[];

export interface AppOptions {
  readonly id?: string;
  /** Options of the middleware; `null`: an app without stepseal. */
  readonly seal?: EncryptionMiddlewareOptions | null;
  readonly checkpointing?: ClientOptions["checkpointing"];
  readonly middleware?: NonNullable<ClientOptions["middleware"]>;
  readonly client?: Partial<ClientOptions>;
  readonly engine?: TestEngine;
  readonly engineOptions?: TestEngineOptions;
  /** What stands between the platform and the app. */
  readonly around?: (handler: ServeHandler) => ServeHandler;
}

/** A served app on the real SDK, and the platform it runs on. */
export async function createApp(
  build: Build,
  { id = "app", seal = {}, checkpointing, middleware = [], client = {}, around, ...rest }: AppOptions = {},
): Promise<{ engine: TestEngine; inngest: Inngest }> {
  const engine = rest.engine ?? createTestEngine(rest.engineOptions);
  const ours = seal === null ? [] : [encryptionMiddleware({ keyring: keyring(), ...seal })];
  const inngest = new Inngest({
    id,
    ...engine.clientOptions,
    logger: quiet,
    ...(checkpointing !== undefined && { checkpointing }),
    middleware: [...ours, ...middleware],
    ...client,
  });
  const handler = serve({ client: inngest, functions: build(inngest) });
  await engine.serve(around?.(handler) ?? handler);
  return { engine, inngest };
}

/** What has the platform tell of this error where the function "fn" failed, whatever it failed with. */
export function tellingOf(error: unknown): NonNullable<TestEngineOptions["onExecute"]> {
  return (body, { run }) => {
    if (run.functionId !== "app-fn-failure") return;
    for (const event of [body.event, ...body.events]) {
      Object.assign(event.data as object, { error: structuredClone(error) });
    }
  };
}

/** Both ways the SDK reports steps: checkpointed as they finish (its default), or answered one by one. */
export const MODES = [
  { name: "with checkpointing", checkpointing: true },
  { name: "without checkpointing", checkpointing: false },
] as const;
