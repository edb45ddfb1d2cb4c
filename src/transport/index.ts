/**
 * Signed requests between a platform and an app: Inngest's scheme and QStash's, replay, endpoints, API calls.
 *
 * @module stepseal/transport
 */
export type { Environment } from "../internal/environment.ts";
export {
  type AuthorizedEndpoint,
  type EndpointOptions,
  type Handler,
  secureEndpoint,
  type VerifiedEndpoint,
} from "./endpoint.ts";
export { type SignedFetchOptions, signedFetch } from "./fetch.ts";
export type { HeadersLike, SignedMessage } from "./message.ts";
export { type Mode, type ModeOptions, resolveMode } from "./mode.ts";
export { expressHandler, type NodeHandlerOptions, nodeHandler } from "./node.ts";
export type { InngestKeys, QstashKeys, QstashRegion } from "./options.ts";
export { type MemoryReplayOptions, memoryReplayStore, type ReplayStore } from "./replay.ts";
export { SignatureError, type SignatureErrorCode } from "./signature-error.ts";
export {
  createSigner,
  type InngestSigner,
  type InngestSignerOptions,
  type QstashSignerOptions,
  type Signed,
  type Signer,
} from "./signer.ts";
export {
  createVerifier,
  type InngestVerifier,
  type InngestVerifierOptions,
  type QstashVerifierOptions,
  type Verification,
  type Verifier,
} from "./verifier.ts";
