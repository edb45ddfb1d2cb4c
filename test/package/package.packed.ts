import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, installAlone, installConsumer, type Packed, pack, run, succeed } from "./install.ts";
import { manifest, read, SUBPATHS } from "./subpaths.ts";

const folder = mkdtempSync(join(tmpdir(), "stepseal-package-"));
const alone = join(folder, "alone");
const consumer = join(folder, "consumer");
let packed: Packed;

beforeAll(async () => {
  packed = await pack(folder);
  await installAlone(alone, packed);
  await installConsumer(consumer, packed);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the packed package", () => {
  test("has what package.json exports, and no sources or tests", () => {
    const { files } = packed;
    for (const { code, types } of SUBPATHS)
      expect(files).toEqual(expect.arrayContaining([code.slice(2), types.slice(2)]));
    const others = files.filter((path) => !/^(dist|docs)\//.test(path));
    expect(others.sort()).toEqual([
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "package.json",
    ]);
  });

  test("has every file that its documents link to", () => {
    const documents = packed.files.filter((path) => path.endsWith(".md"));
    const links = documents.flatMap((from) =>
      [...read(from).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, to = ""]) =>
        posix.join(posix.dirname(from), to),
      ),
    );
    expect(links).toContain("docs/rotation.md");
    expect(
      links.filter((path) => !packed.files.some((file) => file === path || file.startsWith(`${path}/`))),
    ).toEqual([]);
  });

  test("brings no SDK", () => {
    const installed = readdirSync(join(alone, "node_modules"));
    expect(installed).toContain("stepseal");
    for (const name of ["inngest", "@upstash", "express", "hono"]) expect(installed).not.toContain(name);
  });
});

describe("installed alone", () => {
  test.each(["stepseal", "stepseal/testing", "stepseal/transport"])("%s is loaded by Node", async (name) => {
    await succeed(alone, "node", "-e", `import(${JSON.stringify(name)})`);
  });

  test("its command says what it can do", async () => {
    const help = await succeed(alone, "npx", "--no-install", "stepseal", "--help");
    for (const command of ["keygen", "check", "scan", "rotate"]) expect(help).toContain(command);
    expect(await succeed(alone, "npx", "--no-install", "stepseal", "--version")).toBe(
      `${manifest.version}\n`,
    );
  });
});

describe("installed beside the SDKs", () => {
  const programs = readdirSync(new URL("consumer", import.meta.url), { encoding: "utf8", recursive: true })
    .filter((path) => path.endsWith(".ts"))
    .sort();

  test("every subpath is used", () => {
    const text = programs.map((path) => read(`test/package/consumer/${path}`)).join("");
    expect(SUBPATHS.filter(({ name }) => !text.includes(`from "${name}"`))).toEqual([]);
  });

  describe.each(["5", "6", "7"])("under TypeScript %s", (version) => {
    const tsc = `node_modules/typescript-${version}/bin/tsc`;

    test.each([
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ])("its types hold in modules of %s, found as %s does", async (module, resolution) => {
      const args = ["--noEmit", "--pretty", "false", "--module", module, "--moduleResolution", resolution];
      expect(complaints(await run(consumer, "node", tsc, ...args))).toEqual([]);
    });
  });

  test("what uses it runs", async () => {
    const entryPoints = programs.map((path) => join(consumer, path));
    await build({ entryPoints, outbase: consumer, outdir: consumer, format: "esm", logLevel: "silent" });
    for (const path of programs) await succeed(consumer, "node", path.replace(/\.ts$/, ".js"));
  });
});

/** What a compiler says of the app and of stepseal. What it finds in the declarations of an SDK is the SDK's. */
function complaints({ code, output }: Ended): string[] {
  const lines = output.split("\n").filter((line) => /error TS\d+/.test(line));
  if (code !== 0 && lines.length === 0) throw new Error(`The compiler failed: ${output}`);
  return lines.filter((line) => /node_modules\/stepseal\//.test(line) || !/^\S*node_modules\//.test(line));
}
