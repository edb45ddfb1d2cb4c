import * as sdk from "inngest";
import * as edge from "inngest/edge";
import * as core from "stepseal";
import * as adapter from "stepseal/inngest";
import * as testing from "stepseal/testing";
import { inngestChecks } from "../../conformance/inngest.ts";
import { type Report, resultsOf } from "../report.ts";

export async function run(): Promise<Report> {
  return { results: await resultsOf((check) => inngestChecks({ core, adapter, sdk, edge, testing }, check)) };
}
