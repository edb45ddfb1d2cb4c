import { type Act, type Engine, found, withoutStepseal, withRotation, withStepseal } from "./acts.ts";
import { problemsOf } from "./check.ts";
import { inngestOn } from "./inngest/play.ts";
import { SDKS } from "./inngest/sdk.ts";
import { runAgainstServer } from "./inngest/server.ts";
import { HELP, readOptions } from "./options.ts";
import { color, printAct } from "./report.ts";
import { upstash } from "./upstash/play.ts";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === "string") {
    console.error(`${options}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.server !== undefined) return runAgainstServer(options.server);

  const engine: Engine = options.engine === "upstash" ? upstash : inngestOn(SDKS[options.sdk]);
  const acts: Act[] = [];
  for (const play of [withoutStepseal, withStepseal, withRotation]) {
    const act = await play(engine);
    acts.push(act);
    printAct(act, engine.markers);
  }
  console.log(`\n${color.bold(`Markers found by the platform: ${acts.map(found).join(" → ")}`)}`);

  const problems = problemsOf(acts, engine.markers);
  for (const problem of problems) console.error(color.red(`not as it should be: ${problem}`));
  return options.check && problems.length > 0 ? 1 : 0;
}

process.exitCode = await main();
