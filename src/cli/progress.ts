import { SingleBar } from "cli-progress";
import type { OnProgress } from "./scan.ts";
import { size } from "./terminal.ts";

/** Runs something that takes a while, with a progress bar where standard error is a terminal. */
export async function withProgress<Result>(
  run: (onProgress: OnProgress) => Promise<Result>,
): Promise<Result> {
  if (process.stderr.isTTY !== true) return run(() => {});
  const bar = new SingleBar({
    stream: process.stderr,
    format: "{bar} {percentage}% {done} of {size}, {rate}/s",
    clearOnComplete: true,
    hideCursor: true,
  });
  // A signal ends the process from within: the cursor would stay hidden.
  const stop = (): void => bar.stop();
  process.once("exit", stop);
  const started = Date.now();
  bar.start(1, 0, { done: size(0), size: size(0), rate: size(0) });
  try {
    return await run((done, total) => {
      bar.setTotal(Math.max(total, done, 1));
      const seconds = Math.max(Date.now() - started, 1) / 1000;
      bar.update(done, { done: size(done), size: size(total), rate: size(Math.round(done / seconds)) });
    });
  } finally {
    process.removeListener("exit", stop);
    stop();
  }
}
