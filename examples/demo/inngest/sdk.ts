import { type ClientOptions, Inngest } from "inngest";
import { serve } from "inngest/edge";
import { Inngest as InngestV3 } from "inngest-v3";
import { serve as serveV3 } from "inngest-v3/edge";
import type { Keyring } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { encryptionMiddleware as encryptionMiddlewareV3 } from "stepseal/inngest-v3";
import type { ServeHandler } from "stepseal/testing";

/** What of the demo depends on the version of the SDK. */
export interface Sdk {
  readonly client: (options: ClientOptions) => Inngest;
  readonly serve: (options: ClientOptions, client: Inngest, functions: readonly unknown[]) => ServeHandler;
  readonly middleware: (keyring: Keyring) => NonNullable<ClientOptions["middleware"]>;
}

type MakeFunction = (options: object, trigger: unknown, handler: unknown) => unknown;

export const SDKS: Readonly<Record<"v3" | "v4", Sdk>> = {
  v4: {
    client: (options) => new Inngest(options),
    serve: (_options, client, functions) => serve({ client, functions: functions as never }),
    middleware: (keyring) => [encryptionMiddleware({ keyring })],
  },
  v3: {
    client: (options) => {
      const { signingKey: _, signingKeyFallback: __, ...rest } = options;
      const client = new InngestV3(rest as never);
      // v3 takes the triggers as an argument of their own; the rest of the app is the same.
      const make = client.createFunction as unknown as MakeFunction;
      const createFunction = ({ triggers, ...own }: { triggers?: unknown }, handler: unknown): unknown =>
        make(own, triggers, handler);
      return Object.assign(client, { createFunction }) as unknown as Inngest;
    },
    serve: ({ fetch, signingKey }, client, functions) =>
      serveV3({ client, functions, fetch, signingKey } as never),
    middleware: (keyring) => [encryptionMiddlewareV3({ keyring })] as never,
  },
};
