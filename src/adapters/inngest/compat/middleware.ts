import type { Middleware } from "inngest";
import { openMessage, type RealtimeMessage } from "../gate/realtime.ts";
import { createMiddleware } from "../middleware.ts";
import {
  type CompatKeys,
  compatSealer,
  type EncryptionMiddlewareOptions,
  passphrasesOf,
  resolveCompatOptions,
} from "./options.ts";

/**
 * Encrypts as `@inngest/middleware-encryption` does, with the same options and in the same format, so that apps with
 * either go on with each other's runs; and seals, in that format too, what the official one sends in plaintext.
 *
 * It belongs on the client, first in its list of middleware. Which paths are refused, and what an app with the
 * official one sees of those it does not decrypt, is in docs/migrating.md.
 *
 * @throws {StepsealError} `CONFIG` where an option is missing or wrong, and as `encryptionMiddleware` of
 * stepseal/inngest
 *
 * @example
 * ```ts
 * import { Inngest } from "inngest";
 * import { encryptionMiddleware } from "stepseal/inngest/compat";
 *
 * const inngest = new Inngest({
 *   id: "my-app",
 *   middleware: [encryptionMiddleware({ key: "correct horse battery staple" })],
 * });
 * ```
 */
export function encryptionMiddleware(options: EncryptionMiddlewareOptions): Middleware.Class {
  return createMiddleware(resolveCompatOptions(options));
}

/**
 * Opens the data of a realtime message of an app with the drop-in. For receivers on a server, as `openRealtimeMessage`
 * of stepseal/inngest is.
 *
 * @param message as the SDK's `subscribe` gives it, with the channel and topic it came on
 * @returns the message with its data opened
 * @throws {StepsealError} `PLAINTEXT_REJECTED` for data that is not sealed, `CONTEXT` for data of another channel or
 * topic, `UNKNOWN_KEY`, `CORRUPT`
 */
export function openRealtimeMessage<Message extends RealtimeMessage>(
  message: Message,
  keys: CompatKeys,
): Message {
  return openMessage(message, compatSealer(passphrasesOf(keys)));
}
