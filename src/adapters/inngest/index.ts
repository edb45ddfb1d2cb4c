/**
 * Encryption middleware for Inngest SDK v4.
 *
 * @module stepseal/inngest
 */

export type {
  EncryptionMiddlewareOptions,
  LegacyOptions,
  PlaintextPath,
  PlaintextSenders,
} from "./gate/options.ts";
export { isPlatformError } from "./gate/platform-errors.ts";
export { openRealtimeMessage, type RealtimeMessage } from "./gate/realtime.ts";
export { encryptionMiddleware } from "./middleware.ts";
