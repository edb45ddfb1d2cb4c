import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMON_OPTS, OP_KEYS, OP_RULES } from "../../../src/adapters/inngest/gate/ops.ts";
import { ENDPOINTS } from "../../../src/adapters/inngest/gate/requests.ts";

// docs/engines/inngest.md shows the gate's two tables.

const document = readFileSync(new URL("../../../docs/engines/inngest.md", import.meta.url), "utf8");

/** The rows of the table whose first column has this title, as cells. */
function table(title: string): string[][] {
  const [, rest = ""] = document.split(`| ${title} |`);
  const [rows = ""] = rest.split("\n\n");
  const cells = rows.split("\n").map((row) => row.replace(/^\| | ?\|$/g, "").split(/ ?\| ?/));
  return cells.slice(2);
}

/** What stands between backticks. */
const named = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

describe("the table of ops", () => {
  const [every, ...rows] = table("op");

  test("has the ops that leave, and no others", () => {
    expect(rows.flatMap(([ops]) => named(ops)).sort()).toEqual([...OP_RULES.keys()].sort());
  });

  test.each(rows)("%s: says what of opts and data leaves, and by which permission", (ops, ...cells) => {
    const said = cells.join(" ");
    const names = named(said);
    for (const op of named(ops)) {
      const { opts, data, error, unless } = OP_RULES.get(op)!;
      const ofOpts = names
        .filter((name) => name.startsWith("opts."))
        .map((name) => name.slice("opts.".length));
      expect([...new Set(ofOpts)].sort()).toEqual([...opts].sort());
      expect(names.includes("data")).toBe(data !== undefined);
      expect(names.includes("error")).toBe(error === true);
      if (unless === undefined) expect(said).not.toContain("allowed");
      else expect(said).toContain(`\`${unless}\` is allowed`);
    }
  });

  test("has the members that every op may have", () => {
    const own = new Set(["opts", "data", "error"]);
    const all = [...OP_KEYS, ...COMMON_OPTS].filter((name) => !own.has(name));
    expect(
      named(every?.slice(1).join(" "))
        .filter((name) => name !== "opts")
        .sort(),
    ).toEqual(all.sort());
  });
});

describe("the table of endpoints", () => {
  interface Sample {
    readonly call: string;
    readonly says: string;
  }
  const samples = table("endpoint").flatMap(([calls, says = ""]) =>
    named(calls).map((call): Sample => ({ call: call.replaceAll(/<\w+>/g, "x"), says })),
  );

  /** What a row's call is to the gate. */
  const asked = (call: string) => {
    const [path, method = "POST"] = call.split(" ").reverse();
    return ENDPOINTS.filter((one) => (one.method ?? method) === method && one.path.test(path!));
  };

  test.each(samples)("$call is one that the gate knows, by the same permission", ({ call, says }) => {
    const [endpoint, ...more] = asked(call);
    expect(endpoint).toBeDefined();
    expect(more).toEqual([]);
    const [, permissions] = /^refused unless (.*?) (?:is|are) allowed/.exec(says) ?? [];
    expect(named(permissions)).toEqual([...(endpoint?.unless ?? [])]);
    // Without a rule for the body it leaves as it is, which the row has to say.
    if (endpoint?.unless === undefined && endpoint?.seal === undefined) expect(says).toContain("nothing");
    else expect(says).not.toContain("nothing");
  });

  test("has every endpoint that the gate knows", () => {
    const shown = new Set(samples.flatMap(({ call }) => asked(call)));
    expect(ENDPOINTS.filter((one) => !shown.has(one)).map(({ path }) => String(path))).toEqual([]);
  });
});
