import type { Fault } from "../fault.ts";
import type { ApiRequest, ServeHandler, WireEntry } from "../types.ts";
import type { QstashDlqEntry, QstashNotification, QstashRun } from "./stored.ts";

/**
 * What a delivery is for.
 *
 * `message`: anything published that belongs to no run, a direct trigger too. `step`: a call of a workflow endpoint
 * with the journal of its run. `call`: the request of a `context.call`. `callback`: the answer to one. `failure`: a
 * failure callback.
 */
export type QstashDeliveryKind = "message" | "step" | "call" | "callback" | "failure";

/** A request the platform is about to make. A hook may change URL, method, headers and body; they are signed after it. */
export interface QstashDelivery {
  readonly kind: QstashDeliveryKind;
  readonly messageId: string;
  readonly runId: string | undefined;
  /** Times the message was sent before. */
  readonly attempt: number;
  url: string;
  method: string;
  /** Lower-case names. What a hook sees has no signature yet. */
  headers: Record<string, string>;
  body: string;
}

/** A request the platform made, and what it was answered. */
export interface QstashDelivered extends Readonly<QstashDelivery> {
  /** Of the answer; 404 when there was no route, undefined when a hook dropped the delivery. */
  readonly status: number | undefined;
  /** Why there is no answer: `no route`, `dropped`, or what the request failed with. */
  readonly problem?: string;
}

/** What {@link TestQstash.publish} sends. */
export interface QstashPublication {
  readonly url: string;
  /** Text as it is; any other value as JSON. */
  readonly body?: unknown;
  /** `Upstash-…` and `Content-Type` as they are; others are forwarded, as the SDK's client does. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Options of {@link createTestQstash}; all optional. */
export interface TestQstashOptions {
  /** Start of the virtual clock, in milliseconds since the epoch. Default: `Date.now()`. Signatures use real time. */
  readonly now?: number;
  /** Which signing key deliveries are signed with. Default `"current"`. */
  readonly signWith?: "current" | "next";
  /** The `sub` of signatures. Default: the URL of the delivery. */
  readonly subject?: string | ((url: string) => string);
  /** Above this size of a journal, in bytes, the request has no body and the app fetches the journal. Default 1 MiB. */
  readonly lazyFetchAboveBytes?: number;
  /** Retries of messages that do not say how many. Default 3, as the platform. */
  readonly retries?: number;
  /** Deliveries in flight at once. Default 1: one after the other, in a fixed order. */
  readonly concurrency?: number;
  /** Real milliseconds a handler may take before `idle()` throws. Default 20,000. */
  readonly requestTimeout?: number;
  /** Sees each delivery just before it is signed, and may edit it in place. `"drop"`: it is never made, nor retried. */
  readonly onDeliver?: (
    delivery: QstashDelivery,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only edits in place returns nothing
  ) => "drop" | undefined | void | Promise<"drop" | undefined | void>;
  /** Asked before each delivery, after `onDeliver`, what goes wrong with it. Undefined: nothing. */
  readonly fault?: (delivery: Readonly<QstashDelivery>) => Fault | undefined;
  /** Sees every API call first. A returned response is what the app gets; undefined lets the call pass. */
  readonly intercept?: (request: ApiRequest) => Response | undefined | Promise<Response | undefined>;
}

/** An in-process QStash. See {@link createTestQstash}. */
export interface TestQstash {
  /** Base URL of the API, on 127.0.0.1: the `baseUrl` of clients. */
  readonly url: string;
  /** The `token` of clients. */
  readonly token: string;
  readonly signingKeys: { readonly current: string; readonly next: string };
  /** The environment variables the SDK reads. */
  readonly env: {
    readonly QSTASH_URL: string;
    readonly QSTASH_TOKEN: string;
    readonly QSTASH_CURRENT_SIGNING_KEY: string;
    readonly QSTASH_NEXT_SIGNING_KEY: string;
  };
  /**
   * Says what answers deliveries to a URL and all under it; the longest such URL wins. The same URL again is a redeploy.
   *
   * @throws StepsealError `CONFIG` when it is no absolute URL
   */
  serve(url: string, handler: ServeHandler): void;
  /**
   * Delivers everything that is due until nothing is. What a handler does after it has answered is not waited for.
   *
   * @throws StepsealError `UNSUPPORTED` when the app called an endpoint that is not there, or a run does not end;
   * `CONFIG` when a handler did not answer in time
   */
  idle(): Promise<void>;
  /** Moves the virtual clock, delivering what falls due on the way in order. `"1h30m"`, or milliseconds. */
  advance(duration: string | number): Promise<void>;
  /** The virtual clock: milliseconds since the epoch. */
  readonly now: number;
  /** All runs, oldest first. */
  readonly runs: readonly QstashRun[];
  /** The newest run of an id. @throws StepsealError `CONFIG` when there is none */
  run(id: string): QstashRun;
  /** The dead letter queue, oldest first. */
  readonly dlq: readonly QstashDlqEntry[];
  /** Starts a run with a new id from the journal of a failed one. @throws StepsealError `CONFIG` for an unknown id */
  resume(dlqId: string): QstashRun;
  /** Starts a run with a new id from the payload of a failed one. @throws StepsealError `CONFIG` for an unknown id */
  restart(dlqId: string): QstashRun;
  /** Publishes a message from outside, such as a direct trigger. Returns its id; call `idle()` to deliver it. */
  publish(publication: QstashPublication): string;
  /** Notifies the waiters of an event from outside; with a run id, that run's, now or when it comes to wait. */
  notify(eventId: string, body?: unknown, runId?: string): QstashNotification[];
  /**
   * Everything that left the app so far, in order: its API calls (`api`) and the responses of its handlers
   * (`response`). What answers a `context.call` is taken for a third party and is not here.
   */
  readonly wire: readonly WireEntry[];
  /** Every request the platform made so far, in order. */
  readonly deliveries: readonly QstashDelivered[];
  /** Ends the server. */
  close(): Promise<void>;
}
