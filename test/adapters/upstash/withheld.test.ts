import { expect, it } from "vitest";
import { withhold } from "../../../src/adapters/upstash/withheld.ts";

it("a request says nothing of a run, and that nobody can run it, until it is released", () => {
  const headers = new Headers({
    "content-type": "application/json",
    "upstash-region": "EU_CENTRAL_1",
    "upstash-workflow-runid": "wfr_1",
    "upstash-workflow-sdk-version": "1",
    "upstash-workflow-unknown-sdk": "true",
    "upstash-workflow-is-failure": "true",
  });
  const withheld = withhold("https://app.example.com/pay", { method: "POST", headers, body: "order" });
  const { "upstash-workflow-sdk-version": version, ...others } = Object.fromEntries(withheld.request.headers);
  expect(version).toMatch(/^none/);
  expect(others).toEqual({ "content-type": "application/json", "upstash-region": "EU_CENTRAL_1" });
  expect(withheld.isReleased).toBe(false);
  withheld.release();
  expect(withheld.isReleased).toBe(true);
  expect(Object.fromEntries(withheld.request.headers)).toEqual(Object.fromEntries(headers));
});
