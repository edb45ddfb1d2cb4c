import { cpus } from "node:os";
import { type ColdStartResult, measureColdStart } from "./cold-start.ts";
import { assertConsumed } from "./paired.ts";
import { measureResume, type ResumeResult } from "./resume.ts";
import { generateKey } from "./shipped.ts";
import { measureSigning, type SigningResult } from "./signing.ts";
import { measureValues, type ValueResult } from "./values.ts";

/** All that is measured, in one process. */
export interface Results {
  readonly node: string;
  readonly cpu: string;
  readonly values: readonly ValueResult[];
  readonly resume: ResumeResult;
  readonly coldStart: ColdStartResult;
  readonly signing: SigningResult;
}

export async function measure(progress: (what: string) => void): Promise<Results> {
  const cpu = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`;
  progress("cold start");
  const coldStart = await measureColdStart(generateKey());
  progress("a resumed run");
  const resume = await measureResume();
  progress("signatures");
  const signing = await measureSigning();
  const values = await measureValues(progress);
  assertConsumed();
  return { node: process.version, cpu, values, resume, coldStart, signing };
}
