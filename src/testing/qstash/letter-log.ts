import { goHeaders } from "./fields.ts";
import { retriesOf } from "./messages.ts";
import { redactionOf } from "./redact.ts";
import { runHeaders } from "./runs.ts";
import type { DeadLetter, Platform } from "./state.ts";

/** A dead letter as the API lists it: `DLQMessage` of the SDK. */
export function letterLog(platform: Platform, letter: DeadLetter): object {
  const { message } = letter;
  const { run } = message;
  const redaction = redactionOf(message.fields);
  const failureCallback = message.fields["upstash-failure-callback"];
  const callback = run?.failureMessage;
  const last = callback?.failures.at(-1)?.answer;
  return {
    messageId: message.id,
    url: message.url,
    method: message.fields["upstash-method"] ?? "POST",
    header: redaction.headers(goHeaders(runHeaders(message))),
    body: redaction.body(message.body),
    maxRetries: retriesOf(platform, message),
    notBefore: message.notBefore,
    createdAt: message.createdAt,
    callerIP: "127.0.0.1",
    responseStatus: letter.responseStatus,
    responseHeader: letter.responseHeader,
    responseBody: letter.responseBody,
    dlqId: letter.dlqId,
    ...(run && { workflowRunId: run.id, workflowCreatedAt: run.createdAt, workflowUrl: run.url }),
    ...(run && run.labels.length > 0 ? { label: run.label, labels: run.labels } : {}),
    ...(failureCallback === undefined ? {} : { failureCallback }),
    ...(run?.failureCallback === undefined
      ? {}
      : {
          failureCallbackInfo: {
            state: run.failureCallback,
            ...(last && {
              responseStatus: last.status,
              responseBody: new TextDecoder().decode(last.body),
              responseHeaders: goHeaders(last.headers),
            }),
          },
        }),
  };
}
