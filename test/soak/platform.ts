import type { Fault, ServeHandler, WireEntry } from "stepseal/testing";
import type { Ledger, Outcomes, Witness } from "./ledger.ts";
import type { Ring } from "./rotation.ts";

/** One process of an app: what it holds in memory is gone with it. */
export interface Process {
  handle(request: Request): Response | Promise<Response>;
  /** Starts a run, as a deployed app does. */
  start(kind: string, n: number): Promise<void>;
  /** Sends the event that an order waits for. */
  pay(n: number): Promise<void>;
  /** Gives it other keys while it goes on. Only of a process that fetches its keys. */
  deploy?(ring: Ring): Promise<void>;
  stop?(): void;
}

/** How to start a process. */
export interface Boot {
  readonly ring: Ring;
  readonly witness: Witness;
  /** False: an app without stepseal. */
  readonly seal: boolean;
  readonly checkpointing: boolean;
  /**
   * `here`: with a client, an app and a ring of its own. `fetches`: the same, with a source of rings, to go on for long.
   * `apart`: with modules of its own, too.
   */
  readonly how: "here" | "fetches" | "apart";
}

/** A platform and what has become of the runs on it. */
export interface Platform {
  advance(milliseconds: number): Promise<void>;
  readonly wire: readonly WireEntry[];
  /** Whether an order waits for its event. */
  isWaiting(n: number): boolean;
  /** Whether an old copy of a request may reach the app: when its run is over, its key may be gone. */
  mayMeetAgain(request: Request): Promise<boolean>;
  /** Runs that are not over. */
  open(): number;
  /** What is wrong with how runs ended, told to the ledger. Returns how many there were, and how often one was tried again. */
  check(ledger: Ledger): { readonly runs: number; readonly requests: number; readonly retries: number };
  close(): Promise<void>;
}

/** How one SDK and its platform are driven. */
export interface Sdk {
  readonly kinds: readonly string[];
  outcomesOf(kind: string, n: number): Outcomes;
  /** Starts a platform, in place of the one before: where processes that go on find it, too. */
  open(about: {
    readonly handler: ServeHandler;
    readonly fault: (n: number, attempt: number) => Fault | undefined;
    /** Asked before each call of the platform's API by the app. */
    readonly apiFault: () => "lost" | "unanswered" | undefined;
  }): Promise<Platform>;
  boot(how: Boot): Promise<Process>;
}
