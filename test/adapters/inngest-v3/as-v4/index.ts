import type { ClientOptions } from "inngest";
import * as sdk from "inngest-v3";

// SDK v3 in the words of SDK v4, so that what is told of the one is asked of the other: vitest.config.ts puts this module
// in place of "inngest". It translates how things are called, and nothing of what they do.

export {
  fetch,
  InngestMiddleware,
  NonRetriableError,
  RetryAfterError,
  referenceFunction,
  StepError,
  serializeError,
  step,
} from "inngest-v3";

type Handler = (context: object) => unknown;
interface Options {
  readonly triggers?: object | readonly object[];
  readonly onFailure?: Handler;
}
interface Topic {
  readonly channel: string;
  readonly topic: string;
}

/** All steps of v3 are planned as v4 plans those of a group. */
const group = { parallel: (_options: object, run: () => unknown): unknown => run() };

/** What tests of v4 alone are made of: they are skipped, and have to be read. */
export const Middleware = { BaseMiddleware: class {} };
export const staticSchema = (): undefined => undefined;
/** A function that is only invoked has no triggers. */
export const invoke = (): readonly object[] => [];

const signingKeys = new WeakMap<object, Pick<ClientOptions, "signingKey" | "signingKeyFallback">>();

/** What v4 takes with the client, and v3 with `serve`: the signing keys, and the function that registers. */
export function serveOptions(client: object): object {
  const { fetch } = client as { readonly fetch?: unknown };
  return { ...signingKeys.get(client), fetch };
}

export class Inngest extends sdk.Inngest<never> {
  constructor(options: ClientOptions) {
    const { signingKey, signingKeyFallback, ...rest } = options;
    super(rest as never);
    const keys = {
      ...(signingKey !== undefined && { signingKey }),
      ...(signingKeyFallback !== undefined && { signingKeyFallback }),
    };
    signingKeys.set(this, keys);
    const api = this["inngestApi" as never] as unknown as Record<string, (key?: string) => void>;
    api.setSigningKey?.(signingKey);
    api.setSigningKeyFallback?.(signingKeyFallback);

    const { createFunction, realtime } = this as unknown as {
      createFunction(options: object, trigger: object, handler: Handler): object;
      readonly realtime?: { publish(message: object): Promise<unknown> };
    };
    Object.assign(this, {
      createFunction: ({ triggers = [], onFailure, ...own }: Options, handler: Handler) =>
        createFunction(
          { ...own, ...(onFailure !== undefined && { onFailure: withTools(onFailure) }) },
          [triggers].flat(2),
          withTools(handler),
        ),
      ...(realtime !== undefined && {
        realtime: {
          ...realtime,
          publish: ({ channel, topic }: Topic, data: unknown) => realtime.publish({ channel, topic, data }),
        },
      }),
    });
  }
}

/** A handler whose `step.realtime.publish` is called as in v4. */
function withTools(handler: Handler): Handler {
  return (context) => {
    const { step: tools } = context as { step: Record<string, unknown> };
    const { realtime } = tools as { realtime?: { publish(id: string, message: object): Promise<unknown> } };
    const publish = (id: string, { channel, topic }: Topic, data: unknown) =>
      realtime?.publish(id, { channel, topic, data });
    return handler({ ...context, step: { ...tools, realtime: { ...realtime, publish } }, group });
  };
}
