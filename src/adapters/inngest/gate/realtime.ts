import { members } from "../../../internal/members.ts";
import type { Keyring } from "../../../keyring/keyring.ts";
import { createSealer } from "../../../sealer.ts";
import type { ValueSealer } from "../../../value-sealer.ts";

/** What a publication is bound to: its channel and topics, in an order that does not depend on the publisher. */
export function realtimeName(channel: string, topics: readonly string[]): string {
  return JSON.stringify([channel, [...topics].sort()]);
}

/** What of a realtime message is read here. The SDK's messages have these and more. */
export interface RealtimeMessage {
  readonly channel?: string | undefined;
  readonly topic?: string | undefined;
  readonly data?: unknown;
}

/**
 * Opens the data of a realtime message that a function published. For receivers on a server: whoever opens
 * messages holds the key, so a browser is sent what it may see by a server of yours.
 *
 * @param message as the SDK's `subscribe` gives it, with the channel and topic it came on
 * @param options.keyring the ring that holds the publisher's key
 * @param options.scope the publisher's scope, where it has one
 * @returns the message with its data opened
 * @throws {StepsealError} `PLAINTEXT_REJECTED` for data that is not sealed, `CONTEXT` for data of another channel or
 * topic, `CONFIG` for an unknown option, and as `Sealer.open` of `stepseal`
 *
 * @example
 * ```ts
 * import { createKeyring, createSealer, generateKey } from "stepseal";
 * import { openRealtimeMessage } from "stepseal/inngest";
 *
 * const keyring = createKeyring({ key: generateKey() });
 * const name = JSON.stringify(["order:17", ["status"]]);
 * const data = createSealer({ keyring }).seal("shipped", { kind: "realtime", name });
 * const message = openRealtimeMessage({ channel: "order:17", topic: "status", data }, { keyring });
 * console.log(message.data); // "shipped"
 * ```
 */
export function openRealtimeMessage<Message extends RealtimeMessage>(
  message: Message,
  options: { readonly keyring: Keyring; readonly scope?: string },
): Message {
  members(options, "openRealtimeMessage options", ["keyring", "scope"]);
  const { keyring, scope } = options;
  return openMessage(message, createSealer({ keyring, ...(scope !== undefined && { scope }) }));
}

/** Opens the data of a realtime message with a sealer. */
export function openMessage<Message extends RealtimeMessage>(
  message: Message,
  { open }: Pick<ValueSealer, "open">,
): Message {
  const name = realtimeName(message.channel ?? "", message.topic === undefined ? [] : [message.topic]);
  return { ...message, data: open(message.data, { kind: "realtime", name }) };
}
