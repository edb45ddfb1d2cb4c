import { StepsealError } from "../../errors.ts";
import type { ServeHandler, WireEntry } from "../types.ts";
import { type Fields, forwardedHeaders } from "./fields.ts";
import type {
  QstashCallbackState,
  QstashDlqEntry,
  QstashJournalEntry,
  QstashRun,
  QstashRunState,
  QstashWaiter,
} from "./stored.ts";
import type { QstashDelivered, QstashDeliveryKind, TestQstashOptions } from "./types.ts";

/** What a request was answered. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Why it is no answer of the destination, or one that is not accepted. */
  readonly problem: string | undefined;
}

/** A failed delivery, as logs tell it. */
export interface Failure {
  readonly answer: Answer;
  readonly time: number;
}

/** Something to deliver. */
export interface Message {
  readonly id: string;
  readonly kind: QstashDeliveryKind;
  readonly url: string;
  /** Its own, and what it took over from its run. */
  readonly fields: Fields;
  /** As published. A step is delivered with its run's journal instead. */
  readonly body: string;
  readonly run: RunRecord | undefined;
  readonly createdAt: number;
  notBefore: number;
  /** Times it was sent again. */
  retried: number;
  readonly failures: Failure[];
  state: "waiting" | "done" | "failed" | "canceled";
}

/** The run that waits for another to end, and what its step is made of. */
export interface Invoker {
  readonly run: RunRecord;
  readonly url: string;
  readonly fields: Fields;
  readonly step: Readonly<Record<string, unknown>>;
}

/** A run with what the platform keeps beside its public part. */
export class RunRecord implements QstashRun {
  readonly id: string;
  readonly url: string;
  readonly journal: QstashJournalEntry[] = [];
  readonly createdAt: number;
  readonly rerunOf: string | undefined;
  state: QstashRunState = "RUN_STARTED";
  result: string | undefined;
  completedAt: number | undefined;
  dlqId: string | undefined;
  failureCallback: QstashCallbackState | undefined;

  /** What it was triggered with. */
  readonly fields: Fields;
  readonly invoker: Invoker | undefined;
  /** Every message of the run, for logs and for what is left to do. */
  readonly messages: Message[] = [];
  /** Runs that this one invoked, by the step's name. */
  readonly invoked: Map<string, RunRecord> = new Map();
  failureMessage: Message | undefined;
  /** The run that took over. */
  resumedBy: RunRecord | undefined;

  constructor(about: {
    readonly id: string;
    readonly url: string;
    readonly fields: Fields;
    readonly createdAt: number;
    readonly invoker?: Invoker | undefined;
    readonly rerunOf?: string | undefined;
  }) {
    this.id = about.id;
    this.url = about.url;
    this.fields = about.fields;
    this.createdAt = about.createdAt;
    this.invoker = about.invoker;
    this.rerunOf = about.rerunOf;
  }

  get labels(): readonly string[] {
    const labels = this.fields["upstash-label"] ?? "";
    return labels === "" ? [] : labels.split(",").map((label) => label.trim());
  }

  get label(): string | undefined {
    return this.labels[0];
  }

  get headers(): Readonly<Record<string, string>> {
    return forwardedHeaders(this.fields);
  }

  get invokerId(): string | undefined {
    return this.invoker?.run.id;
  }
}

/** A run that waits for an event. */
export interface Wait {
  readonly eventId: string;
  readonly run: RunRecord;
  /** Milliseconds of the virtual clock. */
  readonly until: number;
  /** What the app asked to be stored when it ends. */
  readonly step: Readonly<Record<string, unknown>>;
  readonly timeout: string;
  readonly fields: Fields;
  readonly waiter: QstashWaiter;
}

/** A dead letter with what a rerun needs. */
export interface DeadLetter extends QstashDlqEntry {
  readonly message: Message;
  readonly answer: Answer;
  /** What else the run had to do when it failed. */
  readonly unfinished: readonly Message[];
  readonly waits: readonly Wait[];
}

/** Something to do at a time of the virtual clock. */
export interface Job {
  readonly at: number;
  readonly order: number;
  readonly task: { readonly message: Message } | { readonly wait: Wait };
}

/** The state all parts share. */
export interface Platform {
  readonly options: TestQstashOptions;
  readonly token: string;
  readonly signingKeys: { readonly current: string; readonly next: string };
  now: number;
  order: number;
  readonly jobs: Set<Job>;
  readonly routes: Map<string, ServeHandler>;
  readonly runs: RunRecord[];
  readonly waits: Set<Wait>;
  /** Notifications of a run that nobody waited for, by run and event. */
  readonly notices: Map<string, string[]>;
  readonly dlq: DeadLetter[];
  /** When a deduplication id was last used, and for which message. */
  readonly duplicates: Map<string, { readonly at: number; readonly messageId: string }>;
  readonly wire: WireEntry[];
  readonly deliveries: QstashDelivered[];
  /** What idle() has to report. */
  readonly faults: StepsealError[];
}

/** An id that depends on how many were given before it, so that two runs of a test have the same. */
export function nextId(platform: Platform, prefix: string): string {
  platform.order += 1;
  return `${prefix}_test${String(platform.order).padStart(8, "0")}`;
}

/** The newest run of an id. */
export function runOf(platform: Platform, id: string): RunRecord | undefined {
  return platform.runs.findLast((run) => run.id === id);
}

/** An error of a wrong option or argument. */
export function misused(problem: string): StepsealError {
  return new StepsealError("CONFIG", `test qstash: ${problem}`);
}

/** What the API answers when it refuses. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
