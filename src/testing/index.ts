export { createTestEngine } from "./engine.ts";
export { findPlaintext, type PlaintextHit } from "./find-plaintext.ts";
export type {
  ApiRequest,
  EventInput,
  ExecutionRequest,
  GatewayRequest,
  GatewayResponse,
  Run,
  RunStatus,
  ServeHandler,
  StoredError,
  StoredEvent,
  StoredStep,
  TestApp,
  TestClientOptions,
  TestEngine,
  TestEngineOptions,
  WireEntry,
} from "./types.ts";
