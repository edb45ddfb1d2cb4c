import * as core from "stepseal";
import * as transport from "stepseal/transport";
import { same } from "../../conformance/check.ts";
import { conformance } from "../../conformance/conformance.ts";
import { sealForOthers } from "../../conformance/crossing.ts";
import { randomDraws } from "../random-draws.ts";
import { type Report, resultsOf } from "../report.ts";

const drawnWhileLoaded = randomDraws();

export async function run(): Promise<Report> {
  const results = await resultsOf((check) => {
    check("draws no random bytes while it is loaded", () => same(drawnWhileLoaded, 0));
    conformance({ core, transport }, check);
    check("draws random bytes when it makes a key, where that is counted", () => {
      const before = randomDraws();
      core.generateKey();
      return same(randomDraws() > before, true);
    });
  });
  return { results, sealed: sealForOthers(core) };
}
