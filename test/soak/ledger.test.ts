import { expect, test } from "vitest";
import { Ledger } from "./ledger.ts";

/** What a ledger makes of run 1, which is to come to `{ order: "paid" }`. */
function problemsOf(work: (ledger: Ledger) => void): readonly string[] {
  const ledger = new Ledger();
  ledger.expect(1, { order: "paid" });
  work(ledger);
  ledger.close();
  return ledger.problems;
}

test("a run that ends as it should is no problem, nor is a step that a fault explains", () => {
  const problems = problemsOf((ledger) => {
    ledger.executed(1, "charge", false);
    ledger.excuse(1);
    ledger.executed(1, "charge", false);
    ledger.finished(1, "order", "paid");
  });
  expect(problems).toEqual([]);
});

test.each<{ what: string; work: (ledger: Ledger) => void; problem: RegExp }>([
  {
    what: "a step that is executed twice without a fault",
    work: (ledger) => {
      for (let i = 0; i < 2; i++) ledger.executed(1, "charge", false);
    },
    problem: /step charge was executed 2 times, and faults explain 0/,
  },
  {
    what: "a step that is executed though its result was there",
    work: (ledger) => {
      ledger.excuse(1);
      ledger.executed(1, "charge", true);
    },
    problem: /step charge was executed though its result was there/,
  },
  {
    what: "another result",
    work: (ledger) => ledger.finished(1, "order", "unpaid"),
    problem: /order came to "unpaid", expected "paid"/,
  },
  { what: "no result", work: () => {}, problem: /did not finish: order/ },
])("$what is a problem", ({ work, problem }) => {
  expect(problemsOf(work)).toContainEqual(expect.stringMatching(problem));
});
