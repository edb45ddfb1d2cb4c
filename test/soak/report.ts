/** How long a soak is, and what it is a control of. */
export interface SoakOptions {
  readonly seed: number;
  /** How many runs there are at least, those that others invoke and failure handlers included. */
  readonly runs: number;
  /** How many are started from outside during one rotation, on one platform. */
  readonly batch: number;
  /** Every so many rotations, one of the processes has modules of its own. */
  readonly apartEvery: number;
  /** False: an app without stepseal. For a control. */
  readonly seal?: boolean;
  /** The rings of every rotation lose the old key. For a control. */
  readonly forgets?: boolean;
}

/** What came of it. */
export interface SoakReport {
  runs: number;
  requests: number;
  retries: number;
  /** Messages that were searched for plaintext, and those that held some. */
  searched: number;
  leaks: number;
  readonly faults: Record<string, number>;
  /** How many requests were refused, by code. */
  readonly refusals: Record<string, number>;
  readonly problems: readonly string[];
  /** Bytes in use when a fifth, three fifths and all of the runs were over. */
  readonly heap: number[];
  seconds: number;
}
