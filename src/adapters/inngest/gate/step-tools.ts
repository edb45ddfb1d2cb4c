import { StepsealError } from "../../../errors.ts";
import { isObject, own } from "./event.ts";
import { checkWait } from "./expressions.ts";
import { inferLocally, requestLocally } from "./gateway.ts";
import type { PlaintextPath, ResolvedOptions } from "./options.ts";
import { refusedPath } from "./refusals.ts";
import { checkUser } from "./sent-events.ts";

/** The tool behind `step.fetch` and the SDK's own `fetch`; a registered symbol, so one for all copies of the SDK. */
const GATEWAY = Symbol.for("inngest.step.gateway");

type Tool = (idOrOptions: unknown, ...args: unknown[]) => Promise<unknown>;

/** The tools that are watched over, as far as the SDK has them. Its own types say nothing of the last. */
interface Tools {
  readonly run: Tool;
  readonly invoke?: Tool;
  readonly sendEvent?: Tool;
  readonly sendSignal?: Tool;
  readonly waitForEvent?: Tool;
  readonly waitForSignal?: Tool;
  readonly ai?: { readonly infer: Tool };
  readonly [GATEWAY]?: Tool;
}

/** What guarding a run's tools needs to know. */
export interface ToolGuard {
  readonly options: ResolvedOptions;
  /** Name of the event that started the run. */
  readonly startedBy: string;
  /** The error to throw into user code for a refusal, which it may catch. */
  readonly recorded: (error: unknown) => unknown;
  /** Fails the run from the outside, and settles never: user code does not hear of it. */
  readonly fail: (error: StepsealError) => Promise<never>;
  /** Told what a step of this id was given to invoke; may refuse it. */
  readonly onInvoke?: (stepId: string, called: unknown) => void;
  /** Told that a step of this id waits for a signal, or sends one. */
  readonly onSignal?: (stepId: string, waits: boolean) => void;
}

/**
 * The step tools as a function sees them: those that would hand data to the platform refuse, or make their request on
 * this server; an expression that can never match is refused; and a signal has to be the one that was waited for.
 *
 * They refuse before the SDK plans a step: a refusal in `fetch` would come after five tries, out of user code's reach.
 */
export function guardTools<StepTools extends object>(step: StepTools, guard: ToolGuard): StepTools {
  const { options, recorded, fail } = guard;
  const tools = step as unknown as Tools;
  const { run } = tools;

  /** As the SDK's own promises, which fail no process when nobody waits for them yet. */
  const refused = (error: unknown): Promise<never> => {
    const promise = Promise.reject(recorded(error));
    promise.catch(() => {});
    return promise;
  };

  /** A tool that checks its arguments first. Its promise is the SDK's own. */
  const checked = (
    tool: Tool | undefined,
    check: (id: string, ...args: unknown[]) => void,
  ): Tool | undefined =>
    tool &&
    ((id, ...args) => {
      try {
        check(stepId(id), ...args);
      } catch (error) {
        return refused(error);
      }
      return tool(id, ...args);
    });

  const gateway = (
    path: PlaintextPath,
    tool: Tool | undefined,
    local: (args: readonly unknown[], edited: readonly unknown[]) => Promise<unknown>,
  ): Tool | undefined => {
    if (tool === undefined || options.allows(path)) return tool;
    if (options.gateway === "local") {
      return (id, ...args) => run(id, (...edited: unknown[]) => local(args, edited));
    }
    return (id) => refused(refusedPath(path, `step ${JSON.stringify(stepId(id))}`));
  };

  /** Waits for a signal, and for none of another name. */
  const waiting = (tool: Tool | undefined): Tool | undefined =>
    tool &&
    (async (id, wait, ...rest) => {
      guard.onSignal?.(stepId(id), true);
      const got = await tool(id, wait, ...rest);
      const [signal, wanted] = [own(got, "signal"), member(wait, "signal")];
      if (typeof signal !== "string" || signal === wanted) return got;
      const message = `step "${stepId(id)}" waited for the signal ${JSON.stringify(wanted)}, and ${JSON.stringify(signal)} stands in its place`;
      return fail(new StepsealError("CONTEXT", message));
    });

  const { ai } = tools;
  const guarded = {
    ai: ai && { ...ai, infer: gateway("ai-infer", ai.infer, inferLocally) },
    [GATEWAY]: gateway("fetch", tools[GATEWAY], requestLocally),
    // Its other members are checked when it is sent: the SDK takes some of them out until then.
    sendEvent: checked(tools.sendEvent, (_id, payload) => {
      for (const event of [payload].flat()) checkUser(event, options);
    }),
    sendSignal: checked(tools.sendSignal, (id) => guard.onSignal?.(id, false)),
    invoke: checked(tools.invoke, (id, called) => guard.onInvoke?.(id, called)),
    waitForEvent: checked(tools.waitForEvent, (id, wait) => {
      const at = `step ${JSON.stringify(id)}: its`;
      if (isObject(wait)) checkWait(wait, guard.startedBy, options.eventFields, at);
    }),
    waitForSignal: waiting(tools.waitForSignal),
  };
  // Those that this version of the SDK does not have stay away.
  const present = Reflect.ownKeys(guarded).filter((key) => Reflect.get(tools, key) !== undefined);
  return Object.assign({ ...step }, ...present.map((key) => ({ [key]: Reflect.get(guarded, key) })));
}

/** A member of what user code gave, inherited ones too, as the SDK reads it. */
export function member(given: unknown, key: string): unknown {
  return isObject(given) ? given[key] : undefined;
}

function stepId(idOrOptions: unknown): string {
  return String(isObject(idOrOptions) ? idOrOptions.id : idOrOptions);
}
