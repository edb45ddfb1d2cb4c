import { StepsealError } from "../errors.ts";
import { type Environment, processEnv } from "../internal/environment.ts";
import { members } from "../internal/members.ts";
import { parseUrl } from "../internal/url.ts";

/** Whether requests are signed (`"cloud"`) or come from a local server that signs nothing (`"dev"`). */
export type Mode = "cloud" | "dev";

/** Refuses what is no mode. @throws {StepsealError} CONFIG */
export function checkMode(mode: Mode, maker: string): void {
  if (mode !== "cloud" && mode !== "dev") {
    throw new StepsealError("CONFIG", `${maker}: mode: expected "cloud" or "dev".`);
  }
}

/** Options of `resolveMode`. */
export interface ModeOptions {
  /** The major version of the Inngest SDK whose rule applies. Default 4. */
  readonly sdk?: 3 | 4;
  /** The client's `isDev` option, which decides alone. */
  readonly isDev?: boolean;
}

/**
 * Whether an app talks to a dev server, by the rules of the Inngest SDK.
 *
 * v4: `"cloud"` unless `isDev` or `INNGEST_DEV` says otherwise. v3: where neither speaks, `"cloud"` on what looks like
 * a deployment, else `"dev"`.
 *
 * Stricter than the SDKs where theirs would be development by accident:
 * - `INNGEST_DEV` that asks for development on what looks like production, or beside a signing key of production, is an
 *   error. If it is meant, say it in code, with `isDev`.
 * - `INNGEST_DEV` that v4 would take for the host of a dev server (`off`), or v3 for a URL of another kind, is an error.
 *   A dev server is an http URL, and for v4 also a host with a port or `localhost`.
 * - v3 with a signing key in the environment is `"cloud"`.
 *
 * @param env default: `process.env`
 * @throws {StepsealError} CONFIG, as said above
 * @example
 * ```ts
 * import { resolveMode } from "stepseal/transport";
 *
 * console.log(resolveMode({})); // "cloud"
 * console.log(resolveMode({ INNGEST_DEV: "1" })); // "dev"
 * console.log(resolveMode({ NODE_ENV: "development" }, { sdk: 3 })); // "dev"
 * ```
 */
export function resolveMode(env: Environment = processEnv(), options: ModeOptions = {}): Mode {
  members(options, "resolveMode options", ["sdk", "isDev"]);
  const { sdk = 4, isDev } = options;
  if (sdk !== 3 && sdk !== 4) throw new StepsealError("CONFIG", "sdk: expected 3 or 4.");
  if (typeof isDev === "boolean") return isDev ? "dev" : "cloud";
  const asked = readDevVariable(env.INNGEST_DEV, sdk);
  if (asked === "cloud") return "cloud";
  const sign = productionSign(env);
  if (asked === "dev" && sign !== undefined) {
    throw new StepsealError(
      "CONFIG",
      `INNGEST_DEV asks for development, which accepts unsigned requests, and ${sign} says that this is production. Unset INNGEST_DEV, or pass isDev: true.`,
    );
  }
  if (asked === "dev") return "dev";
  return sdk === 4 || sign !== undefined || env.INNGEST_SIGNING_KEY ? "cloud" : "dev";
}

/** What `INNGEST_DEV` asks for, or undefined where it asks for nothing. */
function readDevVariable(value: string | undefined, sdk: 3 | 4): Mode | undefined {
  const text = value?.trim().toLowerCase() ?? "undefined";
  if (text === "undefined") return undefined;
  if (text === "1" || text === "true") return "dev";
  if (text === "0" || text === "false") return "cloud";
  if (isServer(text, sdk)) return "dev";
  // v3 takes what it does not know for false; an empty text means nothing to v4.
  if (text === "" || (sdk === 3 && parseUrl(text) === undefined)) return "cloud";
  throw new StepsealError("CONFIG", "INNGEST_DEV: expected 1, 0, or the URL of a dev server.");
}

/** `http://host`, and for v4 `host:8288` and `localhost`. */
function isServer(text: string, sdk: 3 | 4): boolean {
  if (/^https?:\/\//.test(text)) return parseUrl(text) !== undefined;
  return (
    sdk === 4 &&
    (text === "localhost" || /^[^/]+:\d+$/.test(text)) &&
    parseUrl(`http://${text}`) !== undefined
  );
}

const startsWithProd = (value: string): boolean => value.startsWith("prod");
const isAny = (value: string): boolean => value !== "";

/**
 * The signs of a deployment that SDK v3 goes by (inngest 3, helpers/env.js), and a signing key of production: both SDKs
 * take requests unsigned beside one where `INNGEST_DEV` says so.
 */
const PRODUCTION_SIGNS: readonly (readonly [name: string, isSign: (value: string) => boolean])[] = [
  ["CONTEXT", startsWithProd],
  ["ENVIRONMENT", startsWithProd],
  ["NODE_ENV", startsWithProd],
  ["VERCEL_ENV", (value) => value !== "" && value !== "development"],
  ["DENO_DEPLOYMENT_ID", isAny],
  ["NETLIFY", isAny],
  ["RENDER", isAny],
  ["RAILWAY_GIT_BRANCH", isAny],
  ["CF_PAGES", isAny],
  ["INNGEST_SIGNING_KEY", (value) => value.trimStart().startsWith("signkey-prod")],
];

/** The name of the first variable that says production. */
function productionSign(env: Environment): string | undefined {
  return PRODUCTION_SIGNS.find(([name, isSign]) => isSign(env[name] ?? ""))?.[0];
}
