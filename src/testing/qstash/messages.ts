import { encodeBase64 } from "../../internal/base64.ts";
import { encodeUtf8 } from "../../internal/utf8.ts";
import { dueTime } from "./delays.ts";
import { type Fields, hasFeature, inheritedFields } from "./fields.ts";
import { enqueue } from "./queue.ts";
import { type Message, nextId, type Platform, type RunRecord } from "./state.ts";

/** Base64 of a text's UTF-8. */
export function base64Of(text: string): string {
  return encodeBase64(encodeUtf8(text));
}

/** What a message is made from. */
export interface Draft {
  readonly kind: Message["kind"];
  readonly url: string;
  readonly fields: Fields;
  readonly body: string;
  readonly run?: RunRecord | undefined;
}

/** Makes a message and puts it in the queue for when it is due. */
export function post(platform: Platform, draft: Draft, id: string = nextId(platform, "msg")): Message {
  const { run } = draft;
  const fields =
    run && draft.kind !== "failure" && hasFeature(draft.fields, "WF_TriggerOnConfig")
      ? { ...inheritedFields(run.fields), ...draft.fields }
      : draft.fields;
  const message: Message = {
    id,
    kind: draft.kind,
    url: draft.url,
    fields,
    body: draft.body,
    run,
    createdAt: platform.now,
    notBefore: dueTime(platform.now, fields),
    retried: 0,
    failures: [],
    state: "waiting",
  };
  run?.messages.push(message);
  enqueue(platform, message.notBefore, { message });
  return message;
}

/** Stores something in a run's journal under the message's id, and posts the message. */
export function postEntry(
  platform: Platform,
  run: RunRecord,
  callType: RunRecord["journal"][number]["callType"],
  draft: Omit<Draft, "run">,
): Message {
  // An entry has its place in the journal from when it is published, so that a step that is delayed sees what was
  // there before it alone. That the SDK cuts what it fetches at the message's id says as much.
  const id = nextId(platform, "msg");
  run.journal.push({ messageId: id, body: base64Of(draft.body), callType });
  return post(platform, { ...draft, run }, id);
}

/** Retries of a message, beyond its first delivery. */
export function retriesOf(platform: Platform, message: Message): number {
  const own = Number(message.fields["upstash-retries"] || Number.NaN);
  return Number.isNaN(own) ? (platform.options.retries ?? 3) : own;
}
