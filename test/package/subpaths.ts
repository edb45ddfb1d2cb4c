import { readFileSync } from "node:fs";
import tsup from "../../tsup.config.ts";

/** A subpath of the package: what an app imports, the built file, and the source that it is built of. */
export interface Subpath {
  readonly name: string;
  readonly types: string;
  readonly code: string;
  readonly source: string;
}

/** What of package.json the tests of the package ask. */
interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

/** A file of the project, as text. */
export const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

export const manifest: Manifest = JSON.parse(read("package.json"));

const { entry } = tsup as { readonly entry: Readonly<Record<string, string>> };

/** The subpaths that package.json exports; what tsup.config.ts does not build has no source. */
export const SUBPATHS: readonly Subpath[] = Object.entries(manifest.exports).flatMap(([path, target]) => {
  if (typeof target === "string") return [];
  const built = /^\.\/dist\/(.*)\.js$/.exec(target.default)?.[1] ?? "";
  return {
    name: `stepseal${path.slice(1)}`,
    types: target.types,
    code: target.default,
    source: entry[built] ?? "",
  };
});

/** The entries that tsup.config.ts builds. */
export const BUILT: readonly string[] = Object.values(entry);
