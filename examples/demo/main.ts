import { isDeepStrictEqual, parseArgs } from "node:util";
import { NEEDLES, withoutStepseal, withRotation, withStepseal } from "./acts.ts";
import { color, printAct } from "./report.ts";
import { SDKS } from "./sdk.ts";
import { runAgainstServer } from "./server.ts";

const HELP = `The demo: an order app on the real Inngest SDK, and what the platform gets to see of it.

  npm run demo                    run it in this process, in three acts
  npm run demo -- --check         the same; exit 1 unless act 1 leaks every marker and the others none
  npm run demo -- --sdk v3        the same app on SDK v3; default v4
  npm run demo -- --server URL    run the app against an Inngest dev server at URL
`;

/** The options given; undefined, with a word of what is wrong, where they are not those of the demo. */
function readOptions():
  | { check: boolean; help: boolean; sdk: keyof typeof SDKS; server: URL | undefined }
  | undefined {
  try {
    const { values } = parseArgs({
      options: {
        check: { type: "boolean", default: false },
        sdk: { type: "string", default: "v4" },
        server: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { check, help, sdk, server } = values;
    if (sdk !== "v3" && sdk !== "v4") throw new Error("--sdk is v3 or v4");
    if (sdk === "v3" && server !== undefined) throw new Error("--server is for SDK v4");
    return { check, help, sdk, server: server === undefined ? undefined : new URL(server) };
  } catch (error) {
    const invalidUrl = (error as { code?: unknown }).code === "ERR_INVALID_URL";
    console.error(
      invalidUrl ? "--server needs a URL, for example http://127.0.0.1:8288" : (error as Error).message,
    );
    console.error(`\n${HELP}`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const values = readOptions();
  if (values === undefined) return 2;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.server !== undefined) return runAgainstServer(values.server);

  const sdk = SDKS[values.sdk];
  const acts = [await withoutStepseal(sdk)];
  printAct(acts[0]!, NEEDLES);
  for (const play of [withStepseal, withRotation]) {
    const act = await play(sdk);
    acts.push(act);
    printAct(act, NEEDLES);
  }

  const found = acts.map((act) => new Set(act.hits.map((hit) => hit.needle)).size);
  console.log(`\n${color.bold(`Markers found by the platform: ${found.join(" → ")}`)}`);
  const [plain, ...sealed] = acts;
  const problems = [
    ...(found[0] === NEEDLES.length
      ? []
      : [`act 1 should leak all ${NEEDLES.length} markers, but leaked ${found[0]}`]),
    ...sealed.flatMap((_, i) =>
      found[i + 1] === 0 ? [] : [`act ${i + 2} should leak none, but leaked ${found[i + 1]}`],
    ),
    ...acts.flatMap((act, i) =>
      act.status === "completed" ? [] : [`the run of act ${i + 1} ${act.status}`],
    ),
    ...sealed.flatMap((act, i) =>
      isDeepStrictEqual(act.seen, plain?.seen)
        ? []
        : [`what the functions saw in act ${i + 2} differs from act 1`],
    ),
  ];
  for (const problem of problems) console.error(color.red(`not as it should be: ${problem}`));
  return values.check && problems.length > 0 ? 1 : 0;
}

process.exitCode = await main();
