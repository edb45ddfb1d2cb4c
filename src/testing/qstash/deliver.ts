import { StepsealError } from "../../errors.ts";
import { encodeUtf8 } from "../../internal/utf8.ts";
import { durationOf } from "../clock.ts";
import { sendWith } from "../fault.ts";
import { wireEntry } from "../wire.ts";
import { hasFeature } from "./fields.ts";
import { settle } from "./outcome.ts";
import { enqueue } from "./queue.ts";
import { runHeaders } from "./runs.ts";
import { send, unanswered } from "./send.ts";
import { signDelivery } from "./sign.ts";
import type { Answer, Message, Platform } from "./state.ts";
import type { QstashDelivered, QstashDelivery } from "./types.ts";

/** Above it a journal is fetched. Not established: the server's own limit. */
const LAZY_FETCH_ABOVE = 1024 * 1024;
/** A run that makes more is taken for one that never ends. */
const MOST_MESSAGES = 1000;

/** The body of a delivery: a step's is the journal of its run up to its own entry. */
function bodyOf(platform: Platform, message: Message): string {
  const { run } = message;
  if (message.kind !== "step" || !run) return message.body;
  const own = run.journal.findIndex((entry) => entry.messageId === message.id);
  const isFirst = message.fields["upstash-workflow-init"] === "true";
  const entries = own === -1 ? run.journal.slice(0, isFirst ? 1 : undefined) : run.journal.slice(0, own + 1);
  const body = JSON.stringify(entries);
  // Callbacks and failure callbacks ask for LazyFetch too, but the SDK cannot read one without a body.
  const limit = platform.options.lazyFetchAboveBytes ?? LAZY_FETCH_ABOVE;
  return hasFeature(message.fields, "LazyFetch") && encodeUtf8(body).length > limit ? "" : body;
}

/** Sends a message once and sees to what follows. @throws StepsealError `UNSUPPORTED` when its run goes on and on */
export async function deliver(platform: Platform, message: Message): Promise<void> {
  const sent = message.run?.messages.length ?? 0;
  if (sent > MOST_MESSAGES) {
    throw new StepsealError(
      "UNSUPPORTED",
      `test qstash: run ${message.run?.id} made ${sent} messages and does not end`,
    );
  }
  const delivery: QstashDelivery = {
    kind: message.kind,
    messageId: message.id,
    runId: message.run?.id,
    attempt: message.retried,
    url: message.url,
    method: message.fields["upstash-method"] ?? "POST",
    headers: {
      ...runHeaders(message),
      "user-agent": "Upstash-QStash",
      "upstash-message-id": message.id,
      "upstash-retried": String(message.retried),
      "upstash-caller-ip": "127.0.0.1",
    },
    body: bodyOf(platform, message),
  };
  if ((await platform.options.onDeliver?.(delivery)) === "drop") {
    message.state = "canceled";
    platform.deliveries.push({ ...delivery, status: undefined, problem: "dropped" });
    return;
  }
  const fault = platform.options.fault?.(delivery);
  if (typeof fault === "object") {
    enqueue(platform, platform.now + durationOf(fault.delay), { message });
    return;
  }
  const once = async (): Promise<Answer> => {
    delivery.headers["upstash-signature"] = await signDelivery(platform, delivery.url, delivery.body);
    const answer = await send(platform, delivery);
    recordResponse(platform, delivery, answer);
    if (fault !== "unanswered") recordDelivery(platform, delivery, answer);
    return answer;
  };
  const none = (): Answer => {
    const answer = unanswered(`no answer: ${fault}`);
    recordDelivery(platform, delivery, answer);
    return answer;
  };
  const [answer, second] = await sendWith(fault, once, none);
  // A message that one of two deliveries has done is done.
  settle(platform, message, second && !isSuccess(answer) && isSuccess(second) ? second : answer);
}

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status <= 299;

function recordDelivery(platform: Platform, delivery: QstashDelivery, { status, problem }: Answer): void {
  const delivered: QstashDelivered = { ...delivery, headers: { ...delivery.headers }, status };
  platform.deliveries.push(problem === undefined ? delivered : { ...delivered, problem });
}

function recordResponse(platform: Platform, delivery: QstashDelivery, answer: Answer): void {
  const { status, headers, problem } = answer;
  // What a third party answers is not the app's.
  if (delivery.kind === "call" || problem !== undefined) return;
  platform.wire.push(
    wireEntry({
      channel: "response",
      method: delivery.method,
      url: delivery.url,
      status,
      headers,
      body: new TextDecoder().decode(answer.body),
      runId: delivery.runId,
      functionId: undefined,
    }),
  );
}
