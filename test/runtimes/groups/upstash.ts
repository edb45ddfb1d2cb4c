import * as testing from "stepseal/testing";
import * as transport from "stepseal/transport";
import * as adapter from "stepseal/upstash";
import { upstashChecks } from "../../conformance/upstash.ts";
import { type Report, resultsOf } from "../report.ts";

export async function run(): Promise<Report> {
  return { results: await resultsOf((check) => upstashChecks({ adapter, testing, transport }, check)) };
}
