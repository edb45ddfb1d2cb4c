/**
 * An Inngest executor and a QStash in the process of a test, and a search for plaintext in what reached them.
 *
 * @module stepseal/testing
 */
export { createTestEngine } from "./engine.ts";
export type { Fault } from "./fault.ts";
export { findPlaintext, type PlaintextHit } from "./find-plaintext.ts";
export { createTestQstash } from "./qstash/qstash.ts";
export type {
  QstashCallbackState,
  QstashDlqEntry,
  QstashJournalEntry,
  QstashNotification,
  QstashRun,
  QstashRunState,
  QstashWaiter,
} from "./qstash/stored.ts";
export type {
  QstashDelivered,
  QstashDelivery,
  QstashDeliveryKind,
  QstashPublication,
  TestQstash,
  TestQstashOptions,
} from "./qstash/types.ts";
export type { EventInput, Run, RunStatus, StoredError, StoredEvent, StoredStep } from "./stored.ts";
export type {
  ApiRequest,
  ExecutionRequest,
  GatewayRequest,
  GatewayResponse,
  ServeHandler,
  TestApp,
  TestClientOptions,
  TestEngine,
  TestEngineOptions,
  WireEntry,
} from "./types.ts";
