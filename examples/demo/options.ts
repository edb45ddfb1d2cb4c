import { parseArgs } from "node:util";

export const HELP = `The demo: an order app on the real SDK of a platform, and what the platform gets to see of it.

  npm run demo                        run it in this process, in three acts, on Inngest
  npm run demo -- --sdk v3            the same app on SDK v3 of Inngest; default v4
  npm run demo -- --engine upstash    the same on Upstash Workflow
  npm run demo -- --check             exit 1 unless act 1 leaks every marker and the others none, and functions see the
                                      same in all
  npm run demo -- --server URL        run the Inngest app against an Inngest dev server at URL
`;

const ENGINES = ["inngest", "upstash"] as const;
const SDKS = ["v4", "v3"] as const;

/** What the demo is asked for. */
export interface DemoOptions {
  readonly engine: (typeof ENGINES)[number];
  /** Of Inngest. */
  readonly sdk: (typeof SDKS)[number];
  readonly check: boolean;
  readonly help: boolean;
  readonly server: URL | undefined;
}

/** The options given, or a word of what is wrong with them. */
export function readOptions(args: readonly string[]): DemoOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        engine: { type: "string", default: "inngest" },
        sdk: { type: "string", default: "v4" },
        check: { type: "boolean", default: false },
        server: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { check, help, server: url } = values;
    const engine = ENGINES.find((name) => name === values.engine);
    if (engine === undefined) return `--engine is one of ${ENGINES.join(", ")}`;
    const sdk = SDKS.find((name) => name === values.sdk);
    if (sdk === undefined) return `--sdk is one of ${SDKS.join(", ")}`;
    if (engine !== "inngest" && sdk !== "v4")
      return "--sdk is a version of Inngest's SDK: it goes with --engine inngest";
    if (url === undefined) return { engine, sdk, check, help, server: undefined };
    if (!URL.canParse(url)) return "--server needs a URL, for example http://127.0.0.1:8288";
    if (engine !== "inngest") return "--server is an Inngest dev server: it goes with --engine inngest";
    if (sdk !== "v4") return "--server is for SDK v4";
    return { engine, sdk, check, help, server: new URL(url) };
  } catch (error) {
    return (error as Error).message;
  }
}
