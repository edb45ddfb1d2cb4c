import { describe, expect, it } from "vitest";
import { type Act, found } from "../examples/demo/acts.ts";
import { problemsOf } from "../examples/demo/check.ts";
import { readOptions } from "../examples/demo/options.ts";

const MARKERS = ["marker-one", "marker-two"];

function act(leaked: readonly string[], changes: Partial<Act> = {}): Act {
  return {
    title: "",
    notes: [],
    seen: [{ what: "order", value: 1 }],
    wire: [],
    stored: undefined,
    storedStep: undefined,
    status: "completed",
    hits: leaked.map((needle) => ({ needle })) as unknown as Act["hits"],
    ...changes,
  };
}

describe("the check of the demo", () => {
  it("passes where the app alone leaks all, and sealed nothing", () => {
    const acts = [act([...MARKERS, ...MARKERS]), act([]), act([])];
    expect(acts.map(found)).toEqual([2, 0, 0]);
    expect(problemsOf(acts, MARKERS)).toEqual([]);
  });

  it.each([
    [
      "a marker that the app alone does not leak",
      [act(["marker-one"]), act([]), act([])],
      "act 1 should leak 2 of 2 markers, but leaked 1",
    ],
    [
      "a marker that leaks though sealed",
      [act(MARKERS), act([]), act(["marker-two"])],
      "act 3 should leak 0 of 2 markers, but leaked 1",
    ],
    [
      "a run that does not complete",
      [act(MARKERS), act([], { status: "failed" }), act([])],
      "the run of act 2 failed",
    ],
    [
      "functions that see something else",
      [act(MARKERS), act([], { seen: [{ what: "order", value: 2 }] }), act([])],
      "what the functions saw in act 2 differs from act 1",
    ],
  ])("fails for %s", (_, acts, problem) => {
    expect(problemsOf(acts, MARKERS)).toEqual([problem]);
  });
});

describe("the options of the demo", () => {
  it("are Inngest unless something else is asked for", () => {
    expect(readOptions([])).toMatchObject({ engine: "inngest", check: false });
    expect(readOptions(["--engine", "upstash", "--check"])).toMatchObject({ engine: "upstash", check: true });
  });

  it.each([
    [["--engine", "other"], "--engine is one of inngest, upstash"],
    [["--unknown"], "Unknown option '--unknown'"],
    [["--server", "nonsense"], "--server needs a URL"],
    [["--server", "http://127.0.0.1:8288", "--engine", "upstash"], "--server is an Inngest dev server"],
  ])("are refused with a word of what is wrong: %j", (args, word) => {
    expect(readOptions(args)).toContain(word);
  });
});
