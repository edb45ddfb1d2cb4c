/**
 * Encryption middleware for Inngest SDK v4.
 *
 * @module stepseal/inngest
 */
export { encryptionMiddleware } from "./middleware.ts";
export type {
  EncryptionMiddlewareOptions,
  LegacyOptions,
  PlaintextPath,
  PlaintextSenders,
} from "./options.ts";
export { isPlatformError } from "./platform-errors.ts";
export { openRealtimeMessage, type RealtimeMessage } from "./realtime.ts";
