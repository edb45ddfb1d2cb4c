/**
 * Encryption middleware for Inngest SDK v4.
 *
 * @module stepseal/inngest
 */
export { encryptionMiddleware } from "./middleware.ts";
export type { EncryptionMiddlewareOptions, PlaintextPath } from "./options.ts";
export { openRealtimeMessage, type RealtimeMessage } from "./realtime.ts";
