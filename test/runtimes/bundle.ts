import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";
import type { Sealed } from "../conformance/crossing.ts";

const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
const HERE: string = fileURLToPath(new URL("./", import.meta.url));
/** Ignored by git. Beside this package, and so inside the one whose node_modules hold the SDKs. */
const OUT = `${HERE}build/`;

export type GroupName = "package" | "engines" | "inngest" | "upstash" | "crossing";
/** How code comes into a runtime: as files that it imports, as the module of a Worker, or as a script. */
export type Form = "files" | "worker" | "worker with Node" | "script";

const WORKER = "export default { fetch: async () => Response.json(await run()) };";
const HOSTS: Readonly<Record<Form, string>> = {
  files: "console.log(JSON.stringify(await run()));",
  worker: WORKER,
  "worker with Node": WORKER,
  script: "globalThis.report = () => run().then((report) => JSON.stringify(report));",
};

const FOR_WORKERS: BuildOptions = {
  ...{ format: "esm", platform: "browser", conditions: ["workerd", "worker", "browser"] },
};
/** As the bundlers of these platforms resolve packages. */
const PLATFORMS: Readonly<Record<Form, BuildOptions>> = {
  files: { format: "esm", platform: "node", packages: "external" },
  worker: FOR_WORKERS,
  "worker with Node": FOR_WORKERS,
  script: { format: "iife", platform: "browser", conditions: ["edge-light", "worker", "browser"] },
};

/**
 * Writes a group of checks in the form that a runtime takes.
 *
 * The package is the built one: as it lies in dist where files are imported, bundled with all it needs elsewhere. Only
 * the engines, which it does not export, come from the sources.
 *
 * @returns the path of the file
 */
export async function bundle(
  group: GroupName,
  form: Form,
  envelopes: Record<string, readonly Sealed[]> = {},
): Promise<string> {
  const name = `${group}.${form.replaceAll(" ", "-")}.js`;
  const stdin = {
    contents: `import { run } from "./groups/${group}.ts";\n${HOSTS[form]}`,
    resolveDir: HERE,
    loader: "ts" as const,
  };
  await build({
    ...PLATFORMS[form],
    ...{ stdin, outfile: OUT + name, bundle: true, target: "es2022", logLevel: "silent" },
    ...(form === "files" ? {} : { external: ["node:*", ...builtinModules], mainFields: ["module", "main"] }),
    plugins: [
      thePackage(group === "engines" ? "src" : "dist", form),
      theEnvelopes(envelopes),
      ...(form === "worker with Node" ? [requiredModules] : []),
    ],
  });
  if (form === "files") {
    await build({ entryPoints: [`${HERE}random-draws.ts`], outfile: `${OUT}random-draws.js`, format: "esm" });
  }
  return OUT + name;
}

type Exports = Readonly<Record<string, { readonly default: string }>>;

function thePackage(from: "src" | "dist", form: Form): Plugin {
  return {
    name: "stepseal",
    setup({ onResolve }) {
      const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { exports: Exports };
      onResolve({ filter: /^stepseal(\/|$)/ }, ({ path }) => {
        if (from === "src") return { path: `${ROOT}src/index.ts` };
        const file = exports[path.replace("stepseal", ".")]!.default.slice(2);
        return form === "files" ? { path: `../../../${file}`, external: true } : { path: ROOT + file };
      });
      // A file of its own, too, so that it runs before the package is loaded.
      if (form !== "files") return;
      onResolve({ filter: /random-draws\.ts$/ }, () => ({ path: "./random-draws.js", external: true }));
    },
  };
}

function theEnvelopes(envelopes: object): Plugin {
  return {
    name: "envelopes",
    setup({ onLoad }) {
      onLoad({ filter: /groups\/envelopes\.ts$/ }, () => ({
        contents: `export const envelopes = ${JSON.stringify(envelopes)};`,
        loader: "ts",
      }));
    },
  };
}

/** A call of `require` for a module of Node, in CommonJS that is bundled, as the import that Workers have for it. */
const requiredModules: Plugin = {
  name: "required modules",
  setup({ onLoad, onResolve }) {
    const names = builtinModules.join("|");
    onResolve({ filter: new RegExp(`^(node:)?(${names})$`) }, ({ kind, path }) => {
      if (kind !== "require-call") return { path: path.replace(/^(node:)?/, "node:"), external: true };
      return { path: path.replace(/^(node:)?/, "node:"), namespace: "required" };
    });
    onLoad({ filter: /./, namespace: "required" }, ({ path }) => ({
      contents: `import all from ${JSON.stringify(path)}; module.exports = all;`,
    }));
  },
};
