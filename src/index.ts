/**
 * Keys, rings, and sealing of values.
 *
 * @module stepseal
 */
export {
  type BlindIndex,
  type BlindIndexOptions,
  createBlindIndex,
  type Indexable,
} from "./blind-index.ts";
export type { Claims, Kind } from "./claims.ts";
export { type Envelope, type EnvelopeInfo, inspectEnvelope, isSealed } from "./envelope.ts";
export { StepsealError, type StepsealErrorCode } from "./errors.ts";
export type { Expected } from "./expected.ts";
export { generateKey } from "./keyring/key.ts";
export {
  createKeyring,
  type KeyEntry,
  type KeyInfo,
  type KeyReport,
  type Keyring,
  type KeyringOptions,
  type KeyState,
} from "./keyring/keyring.ts";
export { type LoadOptions, loadKeyring } from "./keyring/load.ts";
export {
  createSealer,
  type OpenExpected,
  type SealClaims,
  type Sealer,
  type SealerOptions,
  type Use,
} from "./sealer.ts";
