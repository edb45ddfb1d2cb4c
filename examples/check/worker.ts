import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { build } from "esbuild";
import { ROOT, type Start, tsconfig } from "./app.ts";

/** What is used of miniflare, which is installed beside the Workers and not with the rest. */
interface Miniflare {
  readonly ready: Promise<URL>;
  dispose(): Promise<void>;
}
type MiniflareModule = { readonly Miniflare: new (options: object) => Miniflare };

interface WranglerConfig {
  readonly main: string;
  readonly compatibility_date: string;
  readonly compatibility_flags?: readonly string[];
  readonly vars?: Readonly<Record<string, string>>;
}

const FOLDER = `${ROOT}examples/cloudflare-workers`;

/**
 * Bundles a Worker as `wrangler` does, and runs it in workerd, as its wrangler.json says.
 *
 * @param flags compatibility flags in place of those of wrangler.json
 */
export function worker(name: string, flags?: readonly string[]): Start {
  return async (env, sealed) => {
    const { Miniflare }: MiniflareModule = createRequire(`${FOLDER}/package.json`)("miniflare");
    const config: WranglerConfig = JSON.parse(await readFile(`${FOLDER}/${name}/wrangler.json`, "utf8"));
    const { outputFiles } = await build({
      entryPoints: [`${FOLDER}/${name}/${config.main}`],
      tsconfig: tsconfig(sealed),
      bundle: true,
      format: "esm",
      target: "es2022",
      platform: "browser",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "node:*"],
      write: false,
      logLevel: "silent",
    });
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.js", contents: outputFiles[0]?.text }],
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: flags ?? config.compatibility_flags ?? [],
      bindings: { ...config.vars, ...env },
      host: "127.0.0.1",
      port: 0,
      cf: false,
    });
    return { url: await miniflare.ready, stop: () => miniflare.dispose() };
  };
}
