/**
 * A drop-in for `@inngest/middleware-encryption`: its options, its format, without its leaks.
 *
 * @module stepseal/inngest/compat
 */
export {
  EncryptionService,
  isEncryptedValue,
  isV0EncryptedValue,
  type MaybePromise,
} from "./encryption-service.ts";
export { encryptionMiddleware, openRealtimeMessage } from "./middleware.ts";
export type { CompatKeys, EncryptionMiddlewareOptions } from "./options.ts";
