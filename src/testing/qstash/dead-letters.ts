import { postFailureCallback } from "./callbacks.ts";
import { dueTime } from "./delays.ts";
import { goHeaders } from "./fields.ts";
import { enqueue } from "./queue.ts";
import { startRun } from "./runs.ts";
import {
  type Answer,
  ApiError,
  type DeadLetter,
  type Message,
  nextId,
  type Platform,
  RunRecord,
  type Wait,
} from "./state.ts";
import { addWait } from "./waits.ts";

/** Puts a message that failed for good in the dead letter queue. */
export function bury(
  platform: Platform,
  message: Message,
  answer: Answer,
  left: { readonly unfinished: readonly Message[]; readonly waits: readonly Wait[] },
): DeadLetter {
  platform.order += 1;
  const letter: DeadLetter = {
    dlqId: `${platform.now}-${platform.order}`,
    messageId: message.id,
    url: message.url,
    runId: message.run?.id,
    createdAt: platform.now,
    responseStatus: answer.status,
    responseHeader: goHeaders(answer.headers),
    responseBody: new TextDecoder().decode(answer.body),
    message,
    answer,
    ...left,
  };
  if (message.run) message.run.dlqId = letter.dlqId;
  platform.dlq.push(letter);
  return letter;
}

/** A dead letter of a run. @throws ApiError 404, 400 */
function letterOf(platform: Platform, dlqId: string): DeadLetter & { readonly run: RunRecord } {
  const letter = platform.dlq.find((one) => one.dlqId === dlqId);
  if (!letter) throw new ApiError(404, `dlq message ${dlqId} not found`);
  const { run } = letter.message;
  if (!run) throw new ApiError(400, `dlq message ${dlqId} is not of a workflow`);
  return { ...letter, run };
}

/** Takes a dead letter away. Returns whether it was there. */
export function removeLetter(platform: Platform, dlqId: string): boolean {
  const at = platform.dlq.findIndex((one) => one.dlqId === dlqId);
  if (at !== -1) platform.dlq.splice(at, 1);
  return at !== -1;
}

/** Fields a rerun takes from the request for it. A run that invoked the failed one has had its answer: no rerun tells it. */
export type Overrides = Readonly<Record<string, string>>;

/**
 * Goes on with a failed run under a new id: its journal, and everything that was still to be delivered or waited for.
 *
 * Not established: what the server does with parallel branches of a failed run. Here they go on where they were.
 */
export function resume(platform: Platform, dlqId: string, overrides: Overrides = {}): RunRecord {
  const letter = letterOf(platform, dlqId);
  const failed = letter.run;
  const run = new RunRecord({
    id: nextId(platform, "wfr"),
    url: failed.url,
    fields: { ...failed.fields, ...overrides },
    createdAt: platform.now,
    rerunOf: failed.id,
  });
  run.journal.push(...failed.journal.map((entry) => ({ ...entry })));
  platform.runs.push(run);
  failed.resumedBy = run;
  const ids = new Map<string, string>();
  for (const message of [letter.message, ...letter.unfinished]) {
    const id = nextId(platform, "msg");
    ids.set(message.id, id);
    const again: Message = {
      ...message,
      id,
      run,
      fields: { ...message.fields, ...overrides, "upstash-workflow-runid": run.id },
      retried: 0,
      failures: [],
      state: "waiting",
      notBefore: Math.max(dueTime(platform.now, overrides), message.notBefore),
    };
    run.messages.push(again);
    enqueue(platform, again.notBefore, { message: again });
  }
  for (const entry of run.journal) entry.messageId = ids.get(entry.messageId) ?? entry.messageId;
  for (const wait of letter.waits) addWait(platform, { ...wait, run });
  // As the retry of a QStash dead letter does (docs/qstash/openapi.yaml). Not established for workflows.
  removeLetter(platform, dlqId);
  return run;
}

/** Starts a failed run again under a new id, from its payload. */
export function restart(platform: Platform, dlqId: string, overrides: Overrides = {}): RunRecord {
  const { run: failed } = letterOf(platform, dlqId);
  const id = nextId(platform, "wfr");
  // When it was triggered for has passed.
  const { "upstash-delay": _, "upstash-not-before": __, ...fields } = failed.fields;
  const { run } = startRun(platform, {
    id,
    url: failed.url,
    fields: { ...fields, ...overrides, "upstash-workflow-runid": id },
    payload: "",
    rerunOf: failed.id,
  });
  // As it is stored: a payload that is no text would not survive being read and written.
  run.journal[0]!.body = failed.journal[0]?.body ?? "";
  removeLetter(platform, dlqId);
  return run;
}

/** Calls the failure callback of a failed run again. @throws ApiError 404, 400 when there is none */
export function retryFailureCallback(platform: Platform, dlqId: string): RunRecord {
  const letter = letterOf(platform, dlqId);
  if (!postFailureCallback(platform, letter)) throw new ApiError(400, "the run has no failure callback");
  return letter.run;
}
