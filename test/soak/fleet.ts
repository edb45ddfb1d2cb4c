import { type Fault, findPlaintext, type WireEntry } from "stepseal/testing";
import { draw, pick } from "./draw.ts";
import { type Ledger, MARKER, type Witness } from "./ledger.ts";
import type { Boot, Platform, Process, Sdk } from "./platform.ts";
import type { SoakOptions, SoakReport } from "./report.ts";
import type { Ring } from "./rotation.ts";

const HOUR = 3_600_000;
/** How many processes there are at once. */
export const SLOTS = 3;
/** Copies of requests that may turn up again. */
const MOST_COPIES = 16;
const CODES =
  /\b(?:UNKNOWN_KEY|KEY_DISABLED|KEY_COMPROMISED|KEY_DESTROYED|CONTEXT|CORRUPT|UNSUPPORTED|FORMAT|PLAINTEXT_REJECTED|TOO_LARGE|INFLATE_LIMIT|LEGACY_NO_KEY|CONFIG|REFUSED)\b/;

/** The processes of one app, and the platform they are on at the moment. */
export class Fleet {
  readonly options: SoakOptions;
  /** Whether processes with two kinds of rings are running. */
  rolling = false;

  readonly #sdk: Sdk;
  readonly #ledger: Ledger;
  readonly #report: SoakReport;
  readonly #witness: Witness;
  readonly #processes: Process[] = [];
  readonly #rings: Ring[] = [];
  readonly #copies: Request[] = [];
  /** Answers that nobody waited for. */
  readonly #strays: WireEntry[] = [];
  #platform!: Platform;
  #generation = 0;
  #rush = false;
  /** Whether the request that is being handled is an old copy. */
  #isOld = false;
  #searched = 0;
  #calls = 0;

  constructor(sdk: Sdk, options: SoakOptions, ledger: Ledger, report: SoakReport) {
    this.#sdk = sdk;
    this.options = options;
    this.#ledger = ledger;
    this.#report = report;
    this.#witness = {
      executed: ledger.executed.bind(ledger),
      finished: ledger.finished.bind(ledger),
      refused: (code) => this.#refused(code),
    };
  }

  async open(generation: number, ring: Ring, rush: boolean): Promise<void> {
    this.#generation = generation;
    this.#rush = rush;
    this.#searched = 0;
    for (let slot = 0; slot < SLOTS; slot++) await this.deploy(slot, ring);
    this.#platform = await this.#sdk.open({
      handler: (request) => this.#handle(request),
      fault: (n, attempt) => this.#faultOf(n, attempt),
      apiFault: () => this.#apiFault(),
    });
  }

  /** Slot 1 is a process that goes on for all of the soak and fetches its keys; the others start anew. */
  async deploy(slot: number, ring: Ring): Promise<void> {
    this.#rings[slot] = ring;
    const process = this.#processes[slot];
    if (process?.deploy) return process.deploy(ring);
    process?.stop?.();
    const { apartEvery, seal = true } = this.options;
    const apart = slot === 0 && this.#generation % apartEvery === apartEvery - 1;
    const boot: Boot = {
      ring,
      witness: this.#witness,
      seal,
      checkpointing: slot === 2 ? true : this.#generation % 2 === 0,
      how: slot === 1 ? "fetches" : apart ? "apart" : "here",
    };
    this.#processes[slot] = await this.#sdk.boot(boot);
  }

  /** Which kind a run is. Where a refusal uses up an attempt, failure handlers have too few: docs/rotation.md. */
  #kindOf(n: number): string {
    const kinds = this.#rush ? this.#sdk.kinds.filter((kind) => kind !== "broken") : this.#sdk.kinds;
    return pick(kinds, draw(this.options.seed, "kind", n))!;
  }

  async start(n: number): Promise<void> {
    const kind = this.#kindOf(n);
    this.#ledger.expect(n, this.#sdk.outcomesOf(kind, n));
    await this.#any("start", n).start(kind, n);
  }

  async pay(): Promise<void> {
    for (const n of this.#ledger.unfinished()) {
      if (this.#platform.isWaiting(n)) await this.#any("pay", n).pay(n);
    }
  }

  isBusy(): boolean {
    return this.#platform.open() > 0;
  }

  async advance(): Promise<void> {
    await this.#platform.advance(HOUR);
    this.#search(this.#platform.wire.slice(this.#searched));
    this.#searched = this.#platform.wire.length;
    this.#search(this.#strays.splice(0));
  }

  async close(): Promise<void> {
    const { runs, requests, retries } = this.#platform.check(this.#ledger);
    this.#report.runs += runs;
    this.#report.requests += requests;
    this.#report.retries += retries;
    this.#ledger.close();
    this.#copies.length = 0;
    await this.#platform.close();
  }

  stop(): void {
    for (const process of this.#processes) process.stop?.();
  }

  #any(...parts: (string | number)[]): Process {
    return pick(this.#processes, draw(this.options.seed, ...parts, this.#calls++))!;
  }

  #count(fault: string): void {
    this.#report.faults[fault] = (this.#report.faults[fault] ?? 0) + 1;
  }

  #faultOf(n: number, attempt: number): Fault | undefined {
    const request = this.#ledger.nextRequest(n);
    const drawn = draw(this.options.seed, "fault", n, request);
    if (drawn < 0.05) {
      this.#count("delayed");
      return { delay: 1 + Math.floor(draw(this.options.seed, "delay", n, request) * 90 * 60_000) };
    }
    // A request that fails uses up an attempt. Each may do so once, so that none runs out of them.
    const fault = drawn < 0.08 ? "lost" : drawn < 0.11 ? "unanswered" : drawn < 0.14 ? "repeated" : undefined;
    if (fault === undefined || (attempt > 0 && fault !== "repeated")) return undefined;
    if (fault !== "lost") this.#ledger.excuse(n);
    this.#count(fault);
    return fault;
  }

  #apiFault(): "lost" | "unanswered" | undefined {
    const drawn = draw(this.options.seed, "api", this.#generation, this.#calls++);
    const fault = drawn < 0.003 ? "lost" : drawn < 0.006 ? "unanswered" : undefined;
    if (fault !== undefined) this.#count(`api call ${fault}`);
    return fault;
  }

  /** Lets a request of the platform reach some process. Processes end, and old requests turn up again, at any time. */
  async #handle(request: Request): Promise<Response> {
    const { seed } = this.options;
    const at = this.#calls++;
    const slot = Math.floor(draw(seed, "slot", at) * SLOTS);
    if (slot !== 1 && draw(seed, "restart", at) < (slot === 0 ? 0.002 : 0.05)) {
      this.#count("restarted");
      await this.deploy(slot, this.#rings[slot]!);
    }
    if (request.method === "POST" && draw(seed, "copy", at) < 0.2) {
      this.#copies.push(request.clone());
      if (this.#copies.length > MOST_COPIES) this.#copies.shift();
    }
    const response = await this.#processes[slot]!.handle(request);
    const old = pick(this.#copies, draw(seed, "old", at));
    if (old && draw(seed, "stray", at) < 0.02 && (await this.#platform.mayMeetAgain(old.clone()))) {
      await this.#stray(old.clone());
    }
    return response;
  }

  async #stray(request: Request): Promise<void> {
    this.#count("old copy");
    const body = await request.clone().text();
    for (const [, n] of body.matchAll(/"n":(\d+)/g)) this.#ledger.excuse(Number(n));
    const [, n] = /soak-(\d+)-/.exec(request.headers.get("upstash-workflow-runid") ?? "") ?? [];
    if (n !== undefined) this.#ledger.excuse(Number(n));
    this.#isOld = true;
    const response = await this.#any("stray").handle(request);
    this.#isOld = false;
    this.#strays.push({
      channel: "response",
      method: request.method,
      url: request.url,
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    });
  }

  #search(entries: readonly WireEntry[]): void {
    this.#report.searched += entries.length;
    const hits = findPlaintext(entries, [MARKER]);
    this.#report.leaks += hits.length;
    const [hit] = hits;
    if (hit) this.#ledger.problem(`plaintext left in the ${hit.where} of a message to ${hit.url}`);
    for (const { channel, body } of entries) {
      const code = channel === "response" ? CODES.exec(body)?.[0] : undefined;
      if (code !== undefined) this.#refused(code);
    }
  }

  #refused(code: string): void {
    this.#report.refusals[code] = (this.#report.refusals[code] ?? 0) + 1;
    const isExpected =
      code === "UNKNOWN_KEY" ? this.#rush && this.rolling : code === "REPLAYED" && this.#isOld;
    if (!isExpected) this.#ledger.problem(`a request was refused with ${code}`);
  }
}
