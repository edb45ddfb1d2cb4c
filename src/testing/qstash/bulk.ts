import { removeLetter } from "./dead-letters.ts";
import { matchesLetter, matchesRun, numberOf, page } from "./filters.ts";
import { letterLog } from "./letter-log.ts";
import { endRun } from "./runs.ts";
import type { DeadLetter, Platform, RunRecord } from "./state.ts";

const MOST = 100;

/** `DELETE /v2/workflows/runs`: cancels what a query asks for. Returns how many. */
export function cancelMany(platform: Platform, query: URLSearchParams): number {
  const urlIsPrefix = query.get("workflowUrlExactMatch") !== "true";
  const runs = platform.runs
    .filter((run) => run.state === "RUN_STARTED" && matchesRun(query, run, { urlIsPrefix }))
    .slice(0, numberOf(query, "count") ?? MOST);
  for (const run of runs) endRun(platform, run, "RUN_CANCELED");
  return runs.length;
}

/** A page of the dead letters that a query asks for. */
function letters(
  platform: Platform,
  query: URLSearchParams,
): { readonly items: readonly DeadLetter[]; readonly cursor: string | undefined } {
  return page(
    platform.dlq.filter((letter) => matchesLetter(query, letter)),
    query,
    MOST,
  );
}

/** `GET /v2/dlq`. */
export function listLetters(platform: Platform, query: URLSearchParams): object {
  const { items, cursor } = letters(platform, query);
  return { messages: items.map((letter) => letterLog(platform, letter)), cursor };
}

/** `DELETE /v2/workflows/dlq`. */
export function deleteLetters(platform: Platform, query: URLSearchParams): object {
  const { items, cursor } = letters(platform, query);
  for (const { dlqId } of items) removeLetter(platform, dlqId);
  // What is left moved up to where this page was.
  return { deleted: items.length, cursor: cursor === undefined ? undefined : "0" };
}

/** `POST /v2/workflows/dlq/resume` and `…/restart`. */
export function rerunMany(
  platform: Platform,
  query: URLSearchParams,
  rerun: (dlqId: string) => RunRecord,
): { readonly runs: readonly RunRecord[]; readonly cursor: string | undefined } {
  const { items, cursor } = letters(platform, query);
  return { runs: items.map(({ dlqId }) => rerun(dlqId)), cursor: cursor === undefined ? undefined : "0" };
}
