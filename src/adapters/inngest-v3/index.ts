/**
 * Encryption middleware for Inngest SDK v3.
 *
 * @module stepseal/inngest-v3
 */
export type {
  EncryptionMiddlewareOptions,
  LegacyOptions,
  PlaintextPath,
  PlaintextSenders,
} from "../inngest/gate/options.ts";
export { isPlatformError } from "../inngest/gate/platform-errors.ts";
export { openRealtimeMessage, type RealtimeMessage } from "../inngest/gate/realtime.ts";
export { type EncryptionMiddleware, encryptionMiddleware } from "./middleware.ts";
