import * as core from "stepseal";
import { crossingChecks } from "../../conformance/crossing.ts";
import { type Report, resultsOf } from "../report.ts";
// Written into the bundle: what every runtime sealed.
import { envelopes } from "./envelopes.ts";

export async function run(): Promise<Report> {
  const results = await resultsOf((check) => {
    for (const [from, sealed] of Object.entries(envelopes)) crossingChecks(core, from, sealed, check);
  });
  return { results };
}
