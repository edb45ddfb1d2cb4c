import type { Results } from "./results.ts";
import type { ValueResult } from "./values.ts";

/** A figure that has to be reached. */
interface Target {
  readonly name: string;
  /** At least, or at most. */
  readonly limit: number;
  readonly atMost?: true;
  readonly value: number;
}

/** By size: 64 B, 1 KB, 16 KB, 256 KB, 4 MB. */
const FASTER = {
  seal: [12, 8, 3, 2.5, 2.3],
  open: [1.1, 2, 2.8, 2.5, 2.2],
  openLastOfFive: [5, 8, 10, 8, 8],
} as const;
/** Times the floor of no encryption. Below 1 KB the floor is next to nothing. */
const FLOOR = [undefined, 2.5, 1.25, 1.25, 1.25];
const RESUME = 2.5;
const COLD_START_MS = 10;

/** Every target beside what was measured. Values: nested JSON, which most values are. */
export function targetsOf({ values, resume, coldStart }: Results): Target[] {
  const json = values.filter(({ kind }) => kind === "json");
  const bySize = json.flatMap((result, i) => [
    ...(Object.keys(FASTER) as (keyof typeof FASTER)[]).map((name) => ({
      name: `${name}, ${sizeName(result.size)}: times the official middleware`,
      limit: FASTER[name][i] ?? Number.NaN,
      value: result[name],
    })),
    ...(FLOOR[i] === undefined
      ? []
      : [
          {
            name: `seal and open, ${sizeName(result.size)}: times the floor`,
            limit: FLOOR[i],
            atMost: true as const,
            value: result.floor,
          },
        ]),
  ]);
  return [
    ...bySize,
    {
      name: `${resume.steps} steps of 1 KB in a resumed run: times the official middleware`,
      limit: RESUME,
      value: resume.ratio,
    },
    {
      name: "cold start, ms, bundled",
      limit: COLD_START_MS,
      atMost: true,
      value: coldStart.stepsealBundled,
    },
    {
      name: "cold start, ms, from node_modules",
      limit: COLD_START_MS,
      atMost: true,
      value: coldStart.stepseal,
    },
  ];
}

export function isMet({ value, limit, atMost }: Target): boolean {
  return atMost ? value <= limit : value >= limit;
}

export function sizeName(size: ValueResult["size"]): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${size / 1024} KB` : `${size / 1024 / 1024} MB`;
}
