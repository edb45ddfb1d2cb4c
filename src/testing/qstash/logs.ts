import { decodeBase64 } from "../../internal/base64.ts";
import { readUtf8 } from "../../internal/utf8.ts";
import { isObject } from "../json.ts";
import { goHeaders } from "./fields.ts";
import { matchesRun, page } from "./filters.ts";
import { retriesOf } from "./messages.ts";
import { redactionOf } from "./redact.ts";
import { runHeaders } from "./runs.ts";
import type { Failure, Message, Platform, RunRecord } from "./state.ts";
import type { QstashJournalEntry } from "./stored.ts";

type Log = Record<string, unknown>;

/** The text of a journal's entry; empty when a test has written something else there. */
function decoded(body: string): string {
  try {
    return readUtf8(decodeBase64(body)) ?? "";
  } catch {
    return "";
  }
}

/** The JSON of a step, or of anything else a test has put in its place. */
function stepOf(entry: QstashJournalEntry): Log {
  try {
    const step: unknown = JSON.parse(decoded(entry.body));
    return isObject(step) ? step : {};
  } catch {
    return {};
  }
}

function errorLog({ answer, time }: Failure): Log {
  const body = new TextDecoder().decode(answer.body);
  return {
    error: answer.problem ?? body,
    body,
    headers: goHeaders(answer.headers),
    status: answer.status,
    time,
  };
}

function stateOf(message: Message): string {
  if (message.state === "done") return "STEP_SUCCESS";
  if (message.state === "failed") return "STEP_FAILED";
  if (message.state === "canceled") return "STEP_CANCELED";
  return message.failures.length > 0 ? "STEP_RETRY" : "STEP_PROGRESS";
}

/** A step that is stored, or one of a parallel group that is planned: `StepLog` of the SDK. */
function stepLog(platform: Platform, run: RunRecord, entry: QstashJournalEntry): Log {
  const redaction = redactionOf(run.fields);
  const message = run.messages.find((one) => one.id === entry.messageId);
  const isInitial = entry === run.journal[0];
  const step: Log = isInitial ? { stepName: "init", stepType: "Initial" } : stepOf(entry);
  const planned = step.targetStep !== undefined;
  const out = isInitial ? decoded(entry.body) : step.out;
  const about = message ?? run.messages[0];
  const { targetStep, ...rest } = step;
  return {
    ...rest,
    ...(planned ? { stepId: targetStep } : {}),
    callType: entry.callType,
    messageId: entry.messageId,
    ...(planned || out === undefined ? {} : { out: redaction.body(String(out)) }),
    concurrent: step.concurrent ?? 1,
    state: planned && message ? stateOf(message) : "STEP_SUCCESS",
    retries: about ? retriesOf(platform, about) : 0,
    createdAt: message?.createdAt ?? run.createdAt,
    headers: about ? redaction.headers(goHeaders(runHeaders(about))) : {},
    ...invokedLog(run, step, redaction.body),
  };
}

function invokedLog(run: RunRecord, step: Log, redacted: (text: string) => string): Log {
  const child = step.stepType === "Invoke" ? run.invoked.get(String(step.stepName)) : undefined;
  if (!child) return {};
  return {
    invokedWorkflowRunId: child.id,
    invokedWorkflowUrl: child.url,
    invokedWorkflowCreatedAt: child.createdAt,
    invokedWorkflowRunBody: redacted(decoded(child.journal[0]?.body ?? "")),
    invokedWorkflowRunHeaders: goHeaders(child.headers),
  };
}

/** Stored steps in groups: one alone, or those of one `Promise.all`. The plan of a step goes when its result is there. */
function storedGroups(platform: Platform, run: RunRecord, steps: ReadonlyMap<string, Log>): Log[] {
  const results = new Set([...steps.values()].filter((step) => !step.targetStep).map((step) => step.stepId));
  const groups: { readonly type: "sequential" | "parallel"; readonly steps: Log[] }[] = [];
  for (const entry of run.journal) {
    const { targetStep } = steps.get(entry.messageId) ?? {};
    if (entry.callType !== "step" || (targetStep !== undefined && results.has(targetStep))) continue;
    const log = stepLog(platform, run, entry);
    const group = groups.at(-1);
    if (Number(log.concurrent) <= 1) groups.push({ type: "sequential", steps: [log] });
    else if (group?.type === "parallel" && group.steps.length < Number(log.concurrent)) group.steps.push(log);
    else groups.push({ type: "parallel", steps: [log] });
  }
  return groups;
}

/** The group of what runs next: messages the app has not answered well yet, those of planned steps aside. */
function nextGroup(platform: Platform, run: RunRecord, steps: ReadonlyMap<string, Log>): Log[] {
  const next = run.messages.filter(
    (one) => one.kind === "step" && one.state !== "done" && steps.get(one.id)?.targetStep === undefined,
  );
  if (next.length === 0) return [];
  const logs = next.map((message) => {
    const stepName = message.failures.at(-1)?.answer.headers["upstash-error-step-name"];
    return {
      messageId: message.id,
      ...(stepName === undefined ? {} : { stepName }),
      state: stateOf(message),
      retries: retriesOf(platform, message),
      ...(message.failures.length > 0 ? { errors: message.failures.map(errorLog) } : {}),
    };
  });
  return [{ type: "next", steps: logs }];
}

function groups(platform: Platform, run: RunRecord): Log[] {
  const steps = new Map(run.journal.slice(1).map((entry) => [entry.messageId, stepOf(entry)]));
  return [...storedGroups(platform, run, steps), ...nextGroup(platform, run, steps)];
}

function failureLog(platform: Platform, run: RunRecord): Log {
  const { failureMessage } = run;
  const letter = platform.dlq.find((one) => one.dlqId === run.dlqId);
  if (!failureMessage) return {};
  const failed = run.messages.findLast((one) => one.state === "failed" && one.kind !== "failure");
  const answer = letter?.answer ?? failed?.failures.at(-1)?.answer;
  return {
    failureFunction: {
      messageId: failureMessage.id,
      url: run.url,
      state: run.failureCallback,
      failHeaders: goHeaders(answer?.headers ?? {}),
      failStatus: answer?.status,
      failResponse: new TextDecoder().decode(answer?.body),
      dlqId: run.dlqId,
      ...(failureMessage.failures.length > 0 ? { errors: failureMessage.failures.map(errorLog) } : {}),
    },
  };
}

/** A run as the API logs it: `WorkflowRunLog` of the SDK. */
function runLog(platform: Platform, run: RunRecord): Log {
  const invoker = run.invoker?.run;
  return {
    workflowRunId: run.id,
    workflowUrl: run.url,
    workflowState: run.state,
    workflowRunCreatedAt: run.createdAt,
    ...(run.completedAt === undefined ? {} : { workflowRunCompletedAt: run.completedAt }),
    ...failureLog(platform, run),
    steps: groups(platform, run),
    ...(run.result === undefined ? {} : { workflowRunResponse: redactionOf(run.fields).body(run.result) }),
    ...(invoker && {
      invoker: {
        workflowRunId: invoker.id,
        workflowUrl: invoker.url,
        workflowRunCreatedAt: invoker.createdAt,
      },
    }),
    ...(run.dlqId === undefined ? {} : { dlqId: run.dlqId }),
    ...(run.labels.length === 0 ? {} : { label: run.label, labels: run.labels }),
  };
}

/** `GET /v2/workflows/events?groupBy=workflowRunId`: runs, newest first. */
export function runLogs(platform: Platform, query: URLSearchParams): object {
  const runs = platform.runs.filter((run) => matchesRun(query, run, { urlIsPrefix: false })).reverse();
  const { items, cursor } = page(runs, query, 10);
  return { cursor, runs: items.map((run) => runLog(platform, run)) };
}
