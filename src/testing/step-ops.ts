import type { Op } from "./answer.ts";
import { runGateway } from "./gateway.ts";
import { isObject, type JsonObject, storedCopy, text } from "./json.ts";
import { isRace, noteStep, type OpContext } from "./op-context.ts";
import { queueDiscovery, queueExecution } from "./runs.ts";
import { saveStep } from "./state.ts";
import type { StoredError } from "./stored.ts";

/** A step that ran: its result is stored, and the function entered again. */
export function stepRan({ platform, run, job }: OpContext, op: Op): undefined {
  noteStep(run, op);
  const { pending } = saveStep(
    run,
    op.id,
    storedCopy(op.op === "StepRun" ? { data: op.data } : op.data) as never,
  );
  queueDiscovery(platform, run, op.id, { pending, group: job.group, race: isRace(op) });
}

/** The part of an error the platform keeps. */
function storedError(raw: unknown, noRetry: boolean): StoredError {
  const error: JsonObject = isObject(raw) ? raw : {};
  const { data, cause } = error;
  return storedCopy({
    name: text(error.name) ?? "",
    message: text(error.message) ?? "",
    ...(text(error.stack) ? { stack: error.stack as string } : {}),
    ...(data === undefined ? {} : { data }),
    ...(noRetry ? { noRetry } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A step that failed and may be tried again. */
export function stepError(context: OpContext, op: Op): "retry" | undefined {
  const { run, job, noRetry, maxAttempts } = context;
  noteStep(run, op);
  if (!noRetry && job.attempt + 1 < maxAttempts) return "retry";
  return stepFailed(context, op);
}

/** A step that failed for good: its error is stored, and the function entered again. */
export function stepFailed({ platform, run, job, noRetry }: OpContext, op: Op): undefined {
  noteStep(run, op);
  const error = storedError(op.error, noRetry && op.op === "StepError");
  const { pending } = saveStep(run, op.id, { error });
  if (pending && !job.race) return;
  if (run.requestVersion >= 2) run.forceStepPlan = false;
  queueExecution(platform, run, `failure:${op.id}`, { after: op.id, race: isRace(op) });
}

/** A request the platform makes for the step. */
export async function gateway(context: OpContext, op: Op): Promise<"retry" | undefined> {
  const { platform, run, job, noRetry, maxAttempts } = context;
  noteStep(run, op);
  const outcome = await runGateway(platform, run, op);
  if (outcome.failed && !noRetry && job.attempt + 1 < maxAttempts) return "retry";
  const { pending } = saveStep(run, op.id, storedCopy(outcome.state));
  queueDiscovery(platform, run, op.id, { pending, group: context.group, race: isRace(op) });
  return undefined;
}
