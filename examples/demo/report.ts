import { createColors } from "picocolors";
import { inspectEnvelope, isSealed } from "stepseal";
import { type Act, found } from "./acts.ts";

const isTerminal = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const color = createColors(isTerminal);

const WIDTH = 62;
const WHAT = 26;

/** A line that is written over while the act runs, on a terminal only. */
export function progress(text: string): void {
  if (isTerminal) process.stdout.write(`\r\x1b[2K${color.dim(text)}`);
}

export function printAct(act: Act, markers: readonly string[]): void {
  progress("");
  const size = found(act);
  const count = `${size} of ${markers.length} markers`;
  const bytes = act.wire.reduce((sum, entry) => sum + entry.body.length, 0);
  console.log(`\n${color.bold(act.title)}`);
  for (const note of act.notes) console.log(color.dim(`  ${note}`));
  console.log("\n  What the functions saw");
  for (const { what, value } of act.seen) {
    console.log(`    ${what.padEnd(WHAT)} ${color.green(cut(JSON.stringify(value)))}`);
  }
  console.log("  What the platform holds");
  for (const [what, value] of [
    ["result of the run", act.stored],
    ["a step's result", act.storedStep],
  ] as const) {
    console.log(`    ${what.padEnd(WHAT)} ${color.yellow(shown(value))}`);
  }
  const verdict = size === 0 ? color.green(`${count} found`) : color.red(`${count} found`);
  console.log(`  ${verdict} in ${act.wire.length} messages, ${bytes} bytes; the run ${act.status}`);
}

/** An envelope as its first characters and its size; anything else as JSON. */
function shown(value: unknown): string {
  if (!isSealed(value)) return cut(JSON.stringify(value));
  const { ciphertextBytes } = inspectEnvelope(value);
  return `${value.data.slice(0, WIDTH - 18)}… (${ciphertextBytes} bytes sealed)`;
}

function cut(text: string | undefined): string {
  if (text === undefined) return "nothing";
  return text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text;
}

export { color };
