export { createTestEngine } from "./engine.ts";
export { findPlaintext, type PlaintextHit } from "./find-plaintext.ts";
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
