import { Inngest, type InngestFunction } from "inngest";
import { serve } from "inngest/edge";
import { createTestEngine, type TestEngine, type TestEngineOptions } from "../../src/testing/index.ts";

const quiet = { info() {}, warn() {}, error() {}, debug() {} };

/** A client of an engine that logs nothing. */
export function client(
  engine: TestEngine,
  options: Partial<ConstructorParameters<typeof Inngest>[0]> = {},
): Inngest {
  return new Inngest({ id: "app", logger: quiet, ...engine.clientOptions, ...options } as never);
}

/** An engine with one app. `options.checkpointing` is the client's own option. */
export async function app(
  functions: (inngest: Inngest) => InngestFunction.Any[],
  options: { engine?: TestEngineOptions; checkpointing?: boolean } = {},
): Promise<{ engine: TestEngine; inngest: Inngest }> {
  const engine = createTestEngine(options.engine);
  const inngest = client(
    engine,
    options.checkpointing === undefined ? {} : { checkpointing: options.checkpointing },
  );
  await engine.serve(serve({ client: inngest, functions: functions(inngest) }));
  return { engine, inngest };
}

/** Sends one event and runs what is due. */
export async function trigger(
  engine: TestEngine,
  name: string,
  data: Record<string, unknown> = {},
): Promise<void> {
  await engine.send({ name, data });
  await engine.idle();
}

export const MODES = [{ checkpointing: true }, { checkpointing: false }];
