import { type ClientOptions, Inngest, type InngestFunction, serializeError } from "inngest";
import { serve } from "inngest/edge";
import * as experimental from "inngest/experimental";
import { createKeyring, type Keyring } from "stepseal";
import { type EncryptionMiddlewareOptions, encryptionMiddleware } from "stepseal/inngest";
import {
  createTestEngine,
  type ServeHandler,
  type TestEngine,
  type TestEngineOptions,
} from "stepseal/testing";

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

/** Two fixed keys: what a test prints is the same each time. */
export const KEY = "hex:8f1d3ac05e7b9264f0a1c8d35b6e7f9012c4a7be83d65f0948eb21d07c9a3e56";
export const OTHER_KEY = "hex:3c9e51f7a20d68b4e18f4472cb905ad613f7e08c2b5d9a6140e3fd8791c62ab5";

export function keyring(): Keyring {
  return createKeyring({ key: KEY });
}

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

/** Both ways the SDK reports steps: checkpointed as they finish (its default), or answered one by one. */
export const MODES = [
  { name: "with checkpointing", checkpointing: true },
  { name: "without checkpointing", checkpointing: false },
] as const;
