import { StepsealError } from "../../errors.ts";
import { isSealed } from "../../internal/shape.ts";
import { parseUrl } from "../../internal/url.ts";
import type { OpenExpected, Sealer } from "../../sealer.ts";
import { openJournal } from "./journal.ts";
import type { UpstashSettings } from "./options.ts";
import {
  answerPlace,
  eventPlace,
  failurePlace,
  payloadPlace,
  type RunState,
  runState,
  stepName,
  triggerOf,
} from "./place.ts";
import type { Door } from "./requests.ts";
import { envelopeIn, fromBase64, isObject, openText, parse, toBase64 } from "./text.ts";

// For people to read: what does not open stays sealed, so that one value under an old key does not hide a whole list.

/** Opens the answer to `client.logs()`: payloads, results, responses and failures of runs. */
export function openLogs(answer: unknown, { sealer }: Door): unknown {
  if (!isObject(answer) || !Array.isArray(answer.runs)) return answer;
  return { ...answer, runs: answer.runs.map((run) => (isObject(run) ? openRunLog(run, sealer) : run)) };
}

type Log = Record<string, unknown>;

function openRunLog(run: Log, sealer: Sealer): Log {
  const groups = Array.isArray(run.steps) ? run.steps : [];
  const steps = groups.flatMap((group) => (hasSteps(group) ? group.steps.filter(isObject) : []));
  const state = stateOf(run, steps);
  if (state === undefined) return run;
  const open = opener(sealer);
  const openStepLog = (step: unknown): unknown => {
    if (!isObject(step)) return step;
    const { errors } = step;
    if (step.stepType === undefined) return changed(step, { errors: openErrors(errors, state, open) });
    return changed(step, {
      out: openOut(step, state, open),
      invokedWorkflowRunBody: open(step.invokedWorkflowRunBody, { kind: "invoke.field" }),
    });
  };
  const failure = run.failureFunction;
  return changed(run, {
    steps: Array.isArray(run.steps)
      ? groups.map((group) => (hasSteps(group) ? { ...group, steps: group.steps.map(openStepLog) } : group))
      : run.steps,
    workflowRunResponse: open(run.workflowRunResponse, { kind: "fn.output", fn: state.fn }),
    failureFunction: isObject(failure)
      ? changed(failure, {
          failResponse: open(failure.failResponse, failureOf(state)),
          responseBody: open(failure.responseBody, answerOf(state)),
          errors: openErrors(failure.errors, state, open),
        })
      : failure,
  });
}

function hasSteps(group: unknown): group is { readonly steps: readonly unknown[] } {
  return isObject(group) && Array.isArray(group.steps);
}

/** Opens the answer to `client.dlq.list()`. */
export function openDeadLetters(answer: unknown, { sealer, settings }: Door): unknown {
  if (!isObject(answer) || !Array.isArray(answer.messages)) return answer;
  const open = opener(sealer);
  return {
    ...answer,
    messages: answer.messages.map((message) => {
      const url = isObject(message) ? (message.workflowUrl ?? message.url) : undefined;
      if (!isObject(message) || typeof url !== "string" || parseUrl(url) === undefined) return message;
      const state = runState(url, undefined);
      const failure = { kind: "fn.error", fn: state.fn } as const;
      const info = message.failureCallbackInfo;
      return changed(message, {
        body: openBody(message.body, state, sealer, settings),
        responseBody: open(message.responseBody, failure),
        failureCallbackInfo: isObject(info)
          ? changed(info, {
              responseBody: open(info.responseBody, { kind: ["fn.output", "fn.error"], fn: state.fn }),
            })
          : info,
      });
    }),
  };
}

type Open = (value: unknown, expected: OpenExpected) => unknown;

function opener(sealer: Sealer): Open {
  return (value, expected) => {
    try {
      if (isSealed(value)) return sealer.open(value, expected);
      if (envelopeIn(value) !== undefined) return openText(sealer, value, expected, "It");
    } catch (error) {
      if (!(error instanceof StepsealError)) throw error;
    }
    return value;
  };
}

/** What the run's values are chained to: its payload, where the log has it. */
function stateOf({ workflowUrl }: Log, steps: readonly Log[]): RunState | undefined {
  if (typeof workflowUrl !== "string" || parseUrl(workflowUrl) === undefined) return undefined;
  const state = runState(workflowUrl, undefined);
  const payload = steps.find(({ stepType }) => stepType === "Initial")?.out;
  const text = isSealed(payload) ? JSON.stringify(payload) : payload;
  state.trigger = typeof text === "string" ? triggerOf(state.fn, text) : undefined;
  return state;
}

function openOut(step: Log, state: RunState, open: Open): unknown {
  const { out, stepType, waitEventId } = step;
  if (stepType === "Initial") return open(out, payloadPlace(state.url));
  if (stepType === "Wait")
    return openEvent(out, typeof waitEventId === "string" ? waitEventId : undefined, open);
  if (stepType === "Invoke") {
    const read = typeof out === "string" ? parse(out)?.value : out;
    if (!isObject(read)) return out;
    const opened = changed(read, { body: open(read.body, { kind: "fn.output" }) });
    return typeof out === "string" ? JSON.stringify(opened) : opened;
  }
  if (!Number.isInteger(step.stepId) || typeof stepType !== "string" || typeof step.stepName !== "string")
    return out;
  const place = { kind: "step.output", fn: state.fn, step: stepName(step) } as const;
  return open(out, state.trigger === undefined ? place : { ...place, parent: state.trigger });
}

/** Data of an event is in base64. */
function openEvent(out: unknown, event: string | undefined, open: Open): unknown {
  const text = typeof out === "string" ? base64Text(out) : undefined;
  const data = open(text, event === undefined ? { kind: "signal" } : eventPlace(event));
  return data === text ? out : toBase64(String(data ?? ""));
}

function base64Text(text: string): string | undefined {
  try {
    return fromBase64(text, "It");
  } catch {
    return undefined;
  }
}

function openErrors(errors: unknown, state: RunState, open: Open): unknown {
  if (!Array.isArray(errors)) return errors;
  return errors.map((error) =>
    isObject(error)
      ? changed(error, {
          body: open(error.body, failureOf(state)),
          error: open(error.error, failureOf(state)),
        })
      : error,
  );
}

// Where the payload is not in the log, what was chained to it may be any run's of the workflow.

function answerOf(state: RunState): OpenExpected {
  return state.trigger === undefined ? { kind: "fn.output", fn: state.fn } : answerPlace(state);
}

function failureOf(state: RunState): OpenExpected {
  return state.trigger === undefined ? { kind: "fn.error", fn: state.fn } : failurePlace(state);
}

/** What a request that failed was about: the state of its run, or the last step of it, or the payload. */
function openBody(body: unknown, state: RunState, sealer: Sealer, settings: UpstashSettings): unknown {
  const open = opener(sealer);
  const read = typeof body === "string" ? parse(body)?.value : undefined;
  if (isObject(read) && read.stepType !== undefined) {
    return JSON.stringify(changed(read, { out: openOut(read, state, open) }));
  }
  if (!Array.isArray(read)) return open(body, payloadPlace(state.url));
  try {
    return JSON.stringify(openJournal(sealer, read, state, settings));
  } catch (error) {
    if (error instanceof StepsealError) return body;
    throw error;
  }
}

/** The object with other values for members that it has. */
function changed(object: Log, values: Log): Log {
  const there = Object.entries(values).filter(([name]) => Object.hasOwn(object, name));
  return { ...object, ...Object.fromEntries(there) };
}
