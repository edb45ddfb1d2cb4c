import { Inngest } from "inngest-v3";
import { serve } from "inngest-v3/edge";
import { type EncryptionMiddlewareOptions, encryptionMiddleware } from "stepseal/inngest-v3";
import type { TestEngine } from "stepseal/testing";
import { keyring, quiet } from "../inngest/harness.ts";

export type ClientOptions = ConstructorParameters<typeof Inngest>[0];
export type Functions = Parameters<typeof serve>[0]["functions"];
export type Build = (inngest: Inngest) => Functions;

/** A client of SDK v3, with `middleware` before and after ours. `seal: null`: without stepseal. */
export function clientOf(
  engine: TestEngine,
  {
    seal = {},
    before = [],
    after = [],
    ...options
  }: Partial<ClientOptions> & {
    readonly seal?: EncryptionMiddlewareOptions | null;
    readonly before?: readonly object[];
    readonly after?: readonly object[];
  } = {},
): Inngest {
  const { signingKey: _, signingKeyFallback: __, ...connection } = engine.clientOptions;
  const ours = seal === null ? [] : [encryptionMiddleware({ keyring: keyring(), ...seal })];
  const middleware = [...before, ...ours, ...after];
  return new Inngest({
    id: "app",
    ...connection,
    logger: quiet,
    ...(middleware.length > 0 && { middleware: middleware as never }),
    ...options,
  });
}

/** Serves an app of SDK v3, which takes the signing keys, and the function that registers, here. */
export async function serveV3(
  engine: TestEngine,
  client: Inngest,
  functions: Functions,
  options: { readonly id?: string } = {},
): Promise<void> {
  await engine.serve(handlerOf(engine, client, functions, options));
}

export function handlerOf(
  engine: TestEngine,
  client: Inngest,
  functions: Functions,
  options: { readonly id?: string } = {},
): (request: Request) => Promise<Response> {
  const { fetch, signingKey } = engine.clientOptions;
  return serve({ client, functions, fetch, ...(signingKey !== undefined && { signingKey }), ...options });
}
