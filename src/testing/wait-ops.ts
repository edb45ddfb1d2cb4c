import type { Op } from "./answer.ts";
import { timeFrom } from "./clock.ts";
import { matches } from "./expression.ts";
import { namedUuid, randomUuid, ulid } from "./ids.ts";
import { isObject, text } from "./json.ts";
import { isRace, nameOf, noteStep, type OpContext, RunFailure } from "./op-context.ts";
import { enqueue, publish, unsupported, where } from "./platform.ts";
import { storedEvent } from "./stored-event.ts";
import { addWait, isWaiting } from "./waits.ts";

const YEAR = 365 * 86_400_000;

/** When a time given by the app is, or an error naming it. A year is the most. */
function timeOf({ platform, run }: OpContext, op: Op, what: string, when: string): number {
  const at = timeFrom(platform.now, when);
  if (at === undefined) {
    throw unsupported(
      where(run, op.id),
      `its ${what} ${JSON.stringify(when)} is neither a duration nor a time`,
    );
  }
  if (at > platform.now + YEAR) {
    throw new RunFailure("InngestErrTimeoutTooLong", `The ${what} ${JSON.stringify(when)} is over a year.`);
  }
  return at;
}

/** A step that ends at a time. */
export function sleep(context: OpContext, op: Op): undefined {
  const { platform, run } = context;
  noteStep(run, op);
  const until = text(op.opts.duration) || op.name;
  const at = until === "" ? platform.now : timeOf(context, op, "sleep", until);
  enqueue(platform, `wake:${op.id}`, at, {
    kind: "wake",
    run,
    stepId: op.id,
    group: context.group,
    race: isRace(op),
  });
}

/** A step that ends with an event, or with its time-out. */
export function waitForEvent(context: OpContext, op: Op): undefined {
  const { platform, run } = context;
  noteStep(run, op);
  if (isWaiting(platform, run, op.id)) return;
  const expression = text(op.opts.if) || undefined;
  // Evaluated once against nothing, so that what cannot be evaluated is an error here and not a wait for ever.
  if (expression !== undefined) matches(expression, {}, where(run, op.id));
  const timeout = text(op.opts.timeout) ?? "";
  addWait(platform, {
    kind: "event",
    run,
    stepId: op.id,
    name: text(op.opts.event) || op.name,
    expression,
    expires: timeout === "" ? platform.now : timeOf(context, op, "time-out", timeout),
    group: context.group,
    race: isRace(op),
  });
}

/** A step that ends with a signal, or with its time-out. A signal has one waiter. */
export function waitForSignal(context: OpContext, op: Op): undefined {
  const { platform, run } = context;
  noteStep(run, op);
  if (isWaiting(platform, run, op.id)) return;
  const signal = text(op.opts.signal) ?? "";
  const other = [...platform.waits].some((wait) => wait.kind === "signal" && wait.name === signal);
  if (other && op.opts.conflict !== "replace") {
    throw new RunFailure("Error", "Signal conflict; signal wait already exists for another run");
  }
  const timeout = text(op.opts.timeout) ?? "";
  addWait(platform, {
    kind: "signal",
    run,
    stepId: op.id,
    name: signal,
    expression: undefined,
    expires: timeout === "" ? platform.now + YEAR : timeOf(context, op, "time-out", timeout),
    group: context.group,
    race: isRace(op),
  });
}

/** A step that runs another function and ends with its result. */
export function invoke(context: OpContext, op: Op): undefined {
  const { platform, run } = context;
  noteStep(run, op);
  if (isWaiting(platform, run, op.id)) return;
  const timeout = text(op.opts.timeout) ?? "";
  const expires = timeout === "" ? platform.now + YEAR : timeOf(context, op, "time-out", timeout);
  const correlation = `${run.id}.${op.id}`;
  addWait(platform, {
    kind: "invoke",
    run,
    stepId: op.id,
    name: correlation,
    expression: undefined,
    expires,
    group: context.group,
    race: isRace(op),
  });
  const payload = isObject(op.opts.payload) ? op.opts.payload : {};
  publish(
    platform,
    storedEvent(
      platform,
      {
        ...payload,
        name: "inngest/function.invoked",
        data: {
          ...(isObject(payload.data) ? payload.data : {}),
          _inngest: {
            source_app_id: namedUuid(run.appId),
            source_fn_id: namedUuid(run.functionId),
            source_fn_v: 1,
            fn_id: text(op.opts.function_id) ?? "",
            correlation_id: correlation,
            expire: expires,
            gid: randomUuid(),
            name: nameOf(op),
          },
        },
      },
      ulid(platform.now),
    ),
  );
}
