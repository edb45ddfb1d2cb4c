import { EXAMPLES, type Example } from "./examples.ts";
import { problemsOf } from "./problems.ts";

/** Runs the examples that are named, or those that need no Next.js. */
async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => EXAMPLES[name] === undefined);
  if (unknown !== undefined) {
    console.error(`There is no example ${unknown}, only ${Object.keys(EXAMPLES).join(", ")}.`);
    return 2;
  }
  let wrong = 0;
  for (const [name, example] of Object.entries(EXAMPLES)) {
    if (names.length > 0 ? !names.includes(name) : example.needs === "next") continue;
    const problems = await check(example);
    wrong += problems.length;
    console.log(`${problems.length === 0 ? "ok" : "not ok"}  ${name}`);
    for (const problem of problems) console.error(`        ${problem}`);
  }
  return wrong === 0 ? 0 : 1;
}

async function check({ start, stage }: Example): Promise<string[]> {
  return problemsOf(await stage(start, true), await stage(start, false));
}

process.exitCode = await main(process.argv.slice(2));
