import type { ValueSealer } from "../../../value-sealer.ts";
import type { RunContext } from "./context.ts";
import type { ResolvedOptions } from "./options.ts";

/** An op as the SDK reports it: what a run did or wants done next. */
export type WireOp = Record<string, unknown>;

/** What sealing an op needs to know. */
export interface OpScope {
  readonly context: RunContext;
  readonly sealer: ValueSealer;
  readonly options: ResolvedOptions;
}
