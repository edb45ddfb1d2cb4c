import { StepsealError } from "../../../errors.ts";
import { equalBytes } from "../../../internal/bytes.ts";
import { callerToken } from "../../chain.ts";
import { HTTP_EVENT } from "./event.ts";
import type { ResolvedOptions } from "./options.ts";
import { triggerDigest } from "./trigger.ts";

/** Where sealed values of a run belong: known once the run's events were read, used by both doors. */
export interface RunContext {
  /** Composite function id: app id and function id, with `-failure` for an `onFailure` handler. */
  readonly fn: string;
  readonly run: string;
  /** Digest of the event that started the run, 32 bytes. */
  readonly trigger: Uint8Array;
  /** Token of the `step.invoke` that started the run, where one did. */
  readonly caller: Uint8Array | undefined;
  /** Started by a `step.invoke` without a token, as the official middleware makes it. */
  readonly untied?: true;
  /** A durable endpoint: what it returns is the answer to whoever called it, and is never sealed. */
  readonly endpoint?: true;
}

/**
 * The claims of what a run returns or fails with: for the step that invoked it, or for the event that started it. Without
 * a token there is nothing to tie it to that the one who invoked it could know.
 */
export function resultPlace({ fn, run, caller, trigger, untied }: RunContext): {
  fn: string;
  run: string;
  parent?: Uint8Array;
} {
  return { fn, run, ...(untied !== true && { parent: caller ?? trigger }) };
}

/** The token of a `step.invoke` of a run. */
export function tokenOf(
  { fn, run, trigger }: RunContext,
  step: string,
  { runBinding }: Pick<ResolvedOptions, "runBinding">,
): Uint8Array {
  if (runBinding === "function") return callerToken({ fn, step });
  return callerToken({ fn, step, trigger, ...(runBinding === "run" && { run }) });
}

/**
 * Where the steps of a durable endpoint belong: to their run alone, which the SDK names before the platform has heard
 * of it. The function has no name of its own there.
 */
export function endpointContext(clientId: string, run: string): RunContext {
  const trigger = triggerDigest({ name: HTTP_EVENT, id: run });
  return { fn: clientId, run, trigger, caller: undefined, endpoint: true };
}

/**
 * The runs that a client is executing now. A checkpoint leaves through the client's `fetch`, which no hook tells
 * whose it is; its body names the run, and the run is looked up here.
 */
export interface RunRegistry {
  enter(context: RunContext): void;
  leave(context: RunContext): void;
  get(run: string): RunContext | undefined;
}

export function createRunRegistry(): RunRegistry {
  const runs = new Map<string, { context: RunContext; requests: number }>();
  return {
    enter(context) {
      const held = runs.get(context.run);
      if (held === undefined) {
        runs.set(context.run, { context, requests: 1 });
        return;
      }
      if (held.context.fn !== context.fn || !equalBytes(held.context.trigger, context.trigger)) {
        throw new StepsealError(
          "CONTEXT",
          `two requests at once claim to be run ${context.run} but differ in function or triggering event`,
        );
      }
      held.requests += 1;
    },
    leave(context) {
      const held = runs.get(context.run);
      if (held !== undefined && --held.requests === 0) runs.delete(context.run);
    },
    get: (run) => runs.get(run)?.context,
  };
}
