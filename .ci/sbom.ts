/**
 * Prints the bill of materials of what an install of the package brings, as CycloneDX.
 *
 * `npm sbom --omit dev` alone leaves out what a development dependency needs, too (canonicalize, zod). So it is asked
 * of a copy of the project that has no development dependencies.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Lock {
  readonly packages: Record<string, { dev?: true; devDependencies?: unknown }>;
}

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

const { devDependencies: _, ...manifest } = JSON.parse(read("package.json")) as Record<string, unknown>;
const lock = JSON.parse(read("package-lock.json")) as Lock;
for (const [path, entry] of Object.entries(lock.packages)) {
  if (entry.dev) delete lock.packages[path];
  delete entry.devDependencies;
}

const folder = mkdtempSync(join(tmpdir(), "stepseal-sbom-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=library", "--package-lock-only"];
  process.stdout.write(execFileSync("npm", args, { cwd: folder, encoding: "utf8" }));
} finally {
  rmSync(folder, { recursive: true });
}
