import { answerCall, postCallback, postFailureCallback } from "./callbacks.ts";
import { bury } from "./dead-letters.ts";
import { retryDelay } from "./delays.ts";
import { hasFeature } from "./fields.ts";
import { retriesOf } from "./messages.ts";
import { enqueue } from "./queue.ts";
import { endRun } from "./runs.ts";
import type { Answer, Message, Platform } from "./state.ts";

const NO_WORKFLOW =
  "detected a non-workflow destination for trigger/invoke. make sure you are sending the request to the correct endpoint";

/** What an answer means for its message. */
function judge(message: Message, answer: Answer): "accepted" | "again" | "final" {
  if (answer.status < 200 || answer.status > 299) {
    const final = answer.status === 489 && answer.headers["upstash-nonretryable-error"] === "true";
    return final ? "final" : "again";
  }
  // A workflow's SDK names its version. An endpoint that does not fails the run at once: the SDK's live test
  // trigger-non-workflow finds one error, though retries are left.
  const isWorkflow = answer.headers["upstash-workflow-sdk-version"] !== undefined;
  const mustBe = message.kind === "step" && hasFeature(message.fields, "WF_DetectTrigger");
  return mustBe && !isWorkflow ? "final" : "accepted";
}

/** Sees to what follows an answer: nothing, a retry, a callback, or the end of the run. */
export function settle(platform: Platform, message: Message, answer: Answer): void {
  const { run } = message;
  const verdict = judge(message, answer);
  const over = run !== undefined && run.state !== "RUN_STARTED" && message.kind !== "failure";
  if (verdict === "accepted") {
    message.state = "done";
    if (message.kind === "failure" && run) run.failureCallback = "CALLBACK_SUCCESS";
    if (over) return;
    if (message.kind === "call") answerCall(platform, message, answer);
    else if (message.kind === "message") postCallback(platform, message, answer);
    return;
  }
  const problem = verdict === "final" && answer.status < 300 ? NO_WORKFLOW : answer.problem;
  const failed = { ...answer, problem };
  message.failures.push({ answer: failed, time: platform.now });
  if (over) {
    message.state = "canceled";
    return;
  }
  if (verdict === "again" && message.retried < retriesOf(platform, message)) {
    // The platform calls back for each attempt of a message (docs/qstash/features/callbacks), but for a context.call
    // once, after the last: the SDK's live test of context.call counts it so.
    if (message.kind === "message") postCallback(platform, message, answer);
    const delay = retryDelay(platform.now, message, answer);
    message.retried += 1;
    message.notBefore = platform.now + delay;
    enqueue(platform, message.notBefore, { message });
    return;
  }
  exhaust(platform, message, failed);
}

/** A message that is not tried again. */
function exhaust(platform: Platform, message: Message, answer: Answer): void {
  const { run } = message;
  message.state = "failed";
  switch (message.kind) {
    case "call":
      // The workflow gets the answer as the step's result, whatever it is.
      answerCall(platform, message, answer);
      return;
    case "failure":
      if (run) run.failureCallback = "CALLBACK_FAIL";
      return;
    case "message": {
      const letter = bury(platform, message, answer, { unfinished: [], waits: [] });
      postCallback(platform, message, answer);
      postFailureCallback(platform, letter);
      return;
    }
    case "step":
    case "callback": {
      if (!run) return;
      const letter = bury(platform, message, answer, endRun(platform, run, "RUN_FAILED"));
      postFailureCallback(platform, letter);
    }
  }
}
