/**
 * Measures the build against the official middleware and against no encryption, prints a table, and writes results.json
 * beside this file and docs/speed.svg.
 *
 *     npm run bench                              # on this Node
 *     npm run bench -- --node /path/to/node      # on another one; its results stand beside those of this
 *     npm run bench -- --check                   # exits with 1 where a figure of targets.ts is missed
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Results } from "./results.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const { values: options } = parseArgs({
  options: { check: { type: "boolean" }, node: { type: "string" } },
});

if (options.node !== undefined) {
  const args = ["--import", "tsx", here("main.ts"), ...(options.check ? ["--check"] : [])];
  const { status, error } = spawnSync(options.node, args, { stdio: "inherit", cwd: here("..") });
  if (error) throw error;
  process.exit(status ?? 1);
}

if (!existsSync(here("thirdparty/node_modules"))) {
  const { status } = spawnSync("npm", ["ci", "--prefix", here("thirdparty")], {
    stdio: "inherit",
    cwd: here("thirdparty"),
  });
  if (status !== 0)
    throw new Error("the rivals could not be installed: npm ci in benchmarks/thirdparty failed");
}
if (!existsSync(here("../dist/index.js")))
  throw new Error("there is no build to measure: npm run build first");

const { measure } = await import("./results.ts");
const { tableOf } = await import("./table.ts");
const { isMet, targetsOf } = await import("./targets.ts");
const { plotOf } = await import("./plot.ts");

const results = await measure((what) => process.stderr.write(`\x1b[2K\r${what}`));
process.stderr.write("\x1b[2K\r");
console.log(tableOf(results));

const file = here("results.json");
const major = `node${process.versions.node.split(".")[0]}`;
const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Results>) : {};
writeFileSync(file, `${JSON.stringify({ ...kept, [major]: rounded(results) }, undefined, 1)}\n`);
writeFileSync(here("../docs/speed.svg"), plotOf(results));

if (options.check) {
  const missed = targetsOf(results).filter((target) => !isMet(target));
  if (missed.length > 0) {
    console.error(`${missed.length} figures were missed.`);
    process.exitCode = 1;
  }
}

/** Digits that mean nothing are left out. */
function rounded(measured: Results): Results {
  return JSON.parse(JSON.stringify(measured), (_, value) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
  ) as Results;
}
