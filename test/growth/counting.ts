import { Session } from "node:inspector";

/** What the engine counted since it was asked last, by script. */
export interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

const session = new Session();
session.connect();

function post(method: string, params: object = {}): Promise<Coverage> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result as Coverage)));
  });
}

// Before anything of src is loaded: what was compiled earlier has no counters in its blocks.
await post("Profiler.enable");
await post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/** Counts begin at 0 with each taking. */
export const takeCounts = (): Promise<Coverage> => post("Profiler.takePreciseCoverage");
