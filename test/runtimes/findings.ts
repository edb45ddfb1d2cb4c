import type { GroupName } from "./bundle.ts";
import type { Report } from "./report.ts";
import type { Runtime } from "./runtimes.ts";

/** What was found in a runtime: the report of each group, or why it does not load. */
export interface Finding {
  readonly runtime: Runtime;
  readonly reports: ReadonlyMap<GroupName, Report | { readonly notLoaded: string }>;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly cannot: number;
}

/** Only an adapter may be absent: with its SDK, where that does not load. */
const OPTIONAL: readonly GroupName[] = ["inngest", "upstash"];

export function tallyOf({ reports }: Finding): Tally {
  const tally = { passed: 0, failed: 0, cannot: 0 };
  for (const [group, report] of reports) {
    if ("notLoaded" in report) tally[OPTIONAL.includes(group) ? "cannot" : "failed"]++;
    else
      for (const { failure, lack } of report.results)
        tally[failure ? "failed" : lack ? "cannot" : "passed"]++;
  }
  return tally;
}

export function failuresOf({ runtime, reports }: Finding): string[] {
  return [...reports].flatMap(([group, report]) => {
    const where = `${runtime.name}, ${group}`;
    if ("notLoaded" in report) {
      return OPTIONAL.includes(group) ? [] : [`${where}: does not load: ${report.notLoaded}`];
    }
    return report.results.flatMap(({ name, failure }) => (failure ? [`${where}: ${name}: ${failure}`] : []));
  });
}

/** The rows of a table, padded to equal widths. */
export function inColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const HEAD = [
  "| runtime | version | engines | `stepseal`, `stepseal/transport` | `stepseal/inngest` | `stepseal/upstash` | opens what the others sealed |",
  "|---|---|---|---|---|---|---|",
];
const LACKS_HEAD = ["| runtime | what it cannot | why |", "|---|---|---|"];

/** A runtime as a row of docs/runtimes.md. */
function rowOf({ runtime, reports }: Finding): string {
  const cell = (group: GroupName): string => {
    const report = reports.get(group);
    if (report === undefined || "notLoaded" in report) return "no";
    if (report.results.some(({ failure }) => failure !== undefined)) return "no: fails";
    const lacks = new Set(report.results.flatMap(({ lack }) => lack?.what ?? []));
    return lacks.size === 0 ? "yes" : `all but ${[...lacks].join(" and ")}`;
  };
  const engines = reports.get("engines");
  const names = engines !== undefined && "engines" in engines ? engines.engines : "none";
  const cells = [
    runtime.name,
    runtime.version,
    names,
    ...(["package", "inngest", "upstash", "crossing"] as const).map(cell),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** What a runtime cannot, as rows of docs/runtimes.md. */
function lacksOf({ runtime, reports }: Finding): string[] {
  const rows = [...reports].flatMap(([group, report]) =>
    "notLoaded" in report
      ? [`| ${runtime.name} | \`stepseal/${group}\` | ${report.notLoaded} |`]
      : report.results.flatMap(({ lack }) =>
          lack ? [`| ${runtime.name} | ${lack.what} | ${lack.why} |`] : [],
        ),
  );
  return [...new Set(rows)];
}

/** The part of docs/runtimes.md that says what was found. */
export function pageOf(findings: readonly Finding[]): string {
  return [...HEAD, ...findings.map(rowOf), "", ...LACKS_HEAD, ...findings.flatMap(lacksOf)].join("\n");
}
