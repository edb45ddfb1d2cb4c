import { encodeBase64 } from "../../internal/base64.ts";
import { goHeaders, hasFeature, nestedFields } from "./fields.ts";
import { base64Of, post, postEntry, retriesOf } from "./messages.ts";
import { runHeaders } from "./runs.ts";
import type { Answer, DeadLetter, Message, Platform } from "./state.ts";

/** The JSON of a callback (upstash.com/docs/qstash/features/callbacks). */
function callbackBody(platform: Platform, message: Message, answer: Answer): Record<string, unknown> {
  return {
    status: answer.status,
    header: goHeaders(answer.headers),
    body: encodeBase64(answer.body),
    retried: message.retried,
    maxRetries: retriesOf(platform, message),
    sourceMessageId: message.id,
    url: message.url,
    method: message.fields["upstash-method"] ?? "POST",
    sourceHeader: goHeaders(runHeaders(message)),
    sourceBody: base64Of(message.body),
    notBefore: message.notBefore,
    createdAt: message.createdAt,
    callerIP: "127.0.0.1",
  };
}

/** Tells a message's `Upstash-Callback`, if it has one, what it was answered. */
export function postCallback(platform: Platform, message: Message, answer: Answer): void {
  const url = message.fields["upstash-callback"];
  if (url === undefined) return;
  const body = JSON.stringify(callbackBody(platform, message, answer));
  const fields = { "content-type": "application/json", ...nestedFields(message.fields, "callback") };
  post(platform, { kind: "message", url, fields, body });
}

/** Hands what a `context.call` was answered to its workflow, which turns it into a step. */
export function answerCall(platform: Platform, message: Message, answer: Answer): void {
  const { run } = message;
  const url = message.fields["upstash-callback"];
  if (!run || url === undefined) return;
  const body = JSON.stringify({
    ...callbackBody(platform, message, answer),
    workflowRunId: run.id,
    workflowCreatedAt: run.createdAt,
  });
  const fields = { "content-type": "application/json", ...nestedFields(message.fields, "callback") };
  postEntry(platform, run, "fromCallback", { kind: "callback", url, fields, body });
}

/** Calls the failure callback of a message that failed for good, if it has one. */
export function postFailureCallback(platform: Platform, letter: DeadLetter): Message | undefined {
  const { message, answer } = letter;
  const { run } = message;
  const url = message.fields["upstash-failure-callback"];
  if (url === undefined) return undefined;
  const initial = run?.journal[0]?.body;
  const body = JSON.stringify({
    ...callbackBody(platform, message, answer),
    dlqId: letter.dlqId,
    ...(run && { url: run.url, workflowRunId: run.id, workflowCreatedAt: run.createdAt }),
    // The failure function is given the workflow's payload, whichever step failed.
    ...(initial !== undefined && hasFeature(message.fields, "InitialBody") ? { sourceBody: initial } : {}),
  });
  const fields = { "content-type": "application/json", ...nestedFields(message.fields, "failure-callback") };
  const posted = post(platform, { kind: run ? "failure" : "message", url, fields, body, run });
  if (run) {
    run.failureCallback = "CALLBACK_INPROGRESS";
    run.failureMessage = posted;
  }
  return posted;
}
