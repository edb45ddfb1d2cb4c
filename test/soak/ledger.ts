/** A text that every secret of these apps begins with. */
export const MARKER = "soak-plaintext";

/** A value of a run that must not leave in plaintext. */
export const secret = (n: number, what: string): string => `${MARKER} ${what} of ${n}`;

/** What a run is to end with, by the name under which its app tells it. */
export type Outcomes = Readonly<Record<string, unknown>>;

interface Entry {
  readonly expected: Outcomes;
  readonly finished: Set<string>;
  /** How often each step was executed to its end. */
  readonly executed: Map<string, number>;
  /** Faults after which a step that was executed may be executed again. */
  excuses: number;
  requests: number;
}

/** What an app tells of its runs. */
export interface Witness {
  /** A step was executed to its end; `held`: the request held its result already. */
  executed(n: number, step: string, held: boolean): void;
  finished(n: number, what: string, value: unknown): void;
  /** A request was refused, with the code of the error. */
  refused(code: string): void;
}

const MOST_PROBLEMS = 20;

/** Compares what apps did with what they should have, run by run. Holds the runs of one batch. */
export class Ledger implements Omit<Witness, "refused"> {
  /** The first ones, each once; no more are kept. */
  readonly problems: string[] = [];
  readonly #entries = new Map<number, Entry>();

  expect(n: number, expected: Outcomes): void {
    this.#entries.set(n, {
      expected,
      finished: new Set(),
      executed: new Map(),
      excuses: 0,
      requests: 0,
    });
  }

  executed(n: number, step: string, held: boolean): void {
    const counts = this.#entries.get(n)?.executed;
    counts?.set(step, (counts.get(step) ?? 0) + 1);
    if (held) this.problem(`run ${n}: step ${step} was executed though its result was there`);
  }

  finished(n: number, what: string, value: unknown): void {
    const entry = this.#entries.get(n);
    const [got, wanted] = [value, entry?.expected[what]].map((one) => JSON.stringify(one));
    if (got === wanted) entry?.finished.add(what);
    else this.problem(`run ${n}: ${what} came to ${got}, expected ${wanted}`);
  }

  /** A request of a run that may have been handled twice. */
  excuse(n: number): void {
    const entry = this.#entries.get(n);
    if (entry) entry.excuses += 1;
  }

  excusesOf(n: number): number {
    return this.#entries.get(n)?.excuses ?? 0;
  }

  /** How many requests a run has made, this one included. */
  nextRequest(n: number): number {
    const entry = this.#entries.get(n);
    if (!entry) return 0;
    entry.requests += 1;
    return entry.requests;
  }

  unfinished(): number[] {
    const isOpen = ({ expected, finished }: Entry): boolean =>
      Object.keys(expected).some((what) => !finished.has(what));
    return [...this.#entries].filter(([, entry]) => isOpen(entry)).map(([n]) => n);
  }

  problem(text: string): void {
    if (this.problems.length < MOST_PROBLEMS && !this.problems.includes(text)) this.problems.push(text);
  }

  /** Ends a batch: what is open is a problem, and so is a step that was executed more often than faults explain. */
  close(): void {
    for (const n of this.unfinished()) {
      const { expected, finished } = this.#entries.get(n)!;
      const open = Object.keys(expected).filter((what) => !finished.has(what));
      this.problem(`run ${n} did not finish: ${open}`);
    }
    for (const [n, { executed, excuses }] of this.#entries) {
      for (const [step, times] of executed) {
        if (times <= 1 + excuses) continue;
        this.problem(`run ${n}: step ${step} was executed ${times} times, and faults explain ${excuses}`);
      }
    }
    this.#entries.clear();
  }
}
