import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { SUBPATHS } from "./subpaths.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a subpath loads, at once and later: files of src, names of packages, modules of Node. */
async function loadedBy(entry: string): Promise<{ files: string[]; packages: Set<string>; node: string[] }> {
  const { metafile } = await build({
    entryPoints: [root + entry],
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["inngest", "@upstash/*", "node:*"],
    write: false,
    metafile: true,
    outdir: "out",
    splitting: true,
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs);
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return {
    files: inputs.filter((path) => path.startsWith("src/")),
    packages: new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])),
    // Statically: where it is absent, a dynamic one fails only when it is asked for.
    node: imports
      .filter(({ path, kind }) => path.startsWith("node:") && kind === "import-statement")
      .map(({ path }) => path),
  };
}

const ENTRIES: { entry: string; packages: string[]; never: RegExp }[] = [
  {
    entry: "src/index.ts",
    packages: ["@noble/ciphers", "@noble/hashes"],
    never: /src\/(adapters|transport|legacy|testing|cli)\//,
  },
  {
    entry: "src/adapters/inngest/index.ts",
    packages: ["@noble/ciphers", "@noble/hashes", "canonicalize", "zod"],
    never: /src\/(testing|cli|adapters\/upstash)\//,
  },
  {
    entry: "src/adapters/inngest-v3/index.ts",
    packages: ["@noble/ciphers", "@noble/hashes", "canonicalize", "zod"],
    never: /src\/(testing|cli|adapters\/upstash)\//,
  },
  {
    entry: "src/adapters/inngest/compat/index.ts",
    packages: ["@noble/ciphers", "@noble/hashes", "canonicalize", "zod"],
    never: /src\/(testing|cli|adapters\/upstash)\//,
  },
  ...["index", "cloudflare", "express", "hono"].map((file) => ({
    entry: `src/adapters/upstash/${file}.ts`,
    packages: ["@noble/ciphers", "@noble/hashes", "canonicalize", "jose", "zod"],
    never: /src\/(testing|cli|legacy|adapters\/inngest)\//,
  })),
  {
    entry: "src/transport/index.ts",
    packages: ["@noble/hashes", "canonicalize", "jose"],
    never: /src\/(testing|cli|legacy|adapters|keyring)\//,
  },
  {
    entry: "src/testing/index.ts",
    packages: ["@noble/hashes", "canonicalize", "jose"],
    never: /src\/(cli|legacy|adapters|keyring)\//,
  },
];

describe("what a subpath loads", () => {
  it.each(ENTRIES)("is its own and what stands to its left: $entry", async ({ entry, packages, never }) => {
    const loaded = await loadedBy(entry);
    expect(loaded.files.length).toBeGreaterThan(3);
    expect(loaded.files.filter((path) => never.test(path))).toEqual([]);
    expect([...loaded.packages].filter((name) => !packages.includes(name))).toEqual([]);
    // Workers have no modules of Node, unless they are asked for them.
    expect(loaded.node).toEqual([]);
  });

  it("is asked of each subpath", () => {
    expect(ENTRIES.map(({ entry }) => entry).sort()).toEqual(SUBPATHS.map(({ source }) => source).sort());
  });

  it("would be noticed to be more", async () => {
    const { files, node, packages } = await loadedBy("src/cli/ring-text.ts");
    expect(files.some((path) => path.startsWith("src/keyring/"))).toBe(true);
    expect(packages).toContain("@noble/hashes");
    expect(node).toContain("node:fs/promises");
  });
});
