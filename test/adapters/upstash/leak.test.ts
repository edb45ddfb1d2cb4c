import { readFileSync } from "node:fs";
import { findPlaintext } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { everything, MARKERS, NOW, PLANTED, runEverything, seen } from "./everything.ts";
import { createApp, type Seal } from "./harness.ts";

const markers = PLANTED.map(({ marker }) => marker);

async function markersFound(seal: Seal, lazyFetchAboveBytes?: number): Promise<string[]> {
  seen.length = 0;
  const app = await createApp(everything(), {
    seal,
    now: NOW,
    ...(lazyFetchAboveBytes !== undefined && { lazyFetchAboveBytes }),
  });
  await runEverything(app);
  const found = new Set(findPlaintext(app.qstash.wire, markers).map(({ needle }) => needle));
  return PLANTED.filter(({ marker }) => found.has(marker)).map(({ path }) => path);
}

describe("what the platform gets to see of an app on Upstash Workflow", () => {
  it("is everything, without stepseal", async () => {
    expect(await markersFound(null)).toEqual(PLANTED.map(({ path }) => path));
  });

  it.each([
    { name: "with the state in each request" },
    { name: "with state that is fetched", lazyFetchAboveBytes: 0 },
  ])("is names, headers and labels, with it: $name", async ({ lazyFetchAboveBytes }) => {
    expect(await markersFound({}, lazyFetchAboveBytes)).toEqual(
      PLANTED.filter(({ visible }) => visible).map(({ path }) => path),
    );
  });

  it("while functions see what they see without it", async () => {
    await markersFound(null);
    const without = structuredClone(seen);
    await markersFound({});
    expect(seen).toEqual(without);
    expect(JSON.stringify(seen)).toContain(MARKERS.returned);
  });

  it("as the documentation counts it", () => {
    const visible = PLANTED.filter((one) => one.visible).length;
    for (const path of ["docs/engines/upstash.md", "docs/threat-model.md"]) {
      const text = readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8").replaceAll(/\s+/g, " ");
      expect(
        /\d+ markers.*?: all \d+ are found without stepseal, \d+ with it/.exec(text)?.[0].match(/\d+/g),
      ).toEqual([PLANTED.length, PLANTED.length, visible].map(String));
    }
  });
});
