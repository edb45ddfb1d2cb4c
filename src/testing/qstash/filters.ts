import type { DeadLetter, RunRecord } from "./state.ts";

/** The values of a query parameter that may stand several times, or hold several, with commas between them. */
function listOf(query: URLSearchParams, name: string): string[] | undefined {
  const values = query.getAll(name).flatMap((value) => value.split(","));
  return values.length > 0 ? values : undefined;
}

/** A number of the query, or undefined. */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  return value === null || value === "" || Number.isNaN(Number(value)) ? undefined : Number(value);
}

/** One page of a list. The cursor is the place where the next begins; not established: what the server's looks like. */
export function page<T>(
  all: readonly T[],
  query: URLSearchParams,
  most: number,
): { readonly items: readonly T[]; readonly cursor: string | undefined } {
  const start = numberOf(query, "cursor") ?? 0;
  const end = start + Math.min(numberOf(query, "count") ?? most, most);
  return { items: all.slice(start, end), cursor: end < all.length ? String(end) : undefined };
}

/** Whether a run is one that a query asks for. Filters that name something else than a run's properties let it pass. */
export function matchesRun(
  query: URLSearchParams,
  run: RunRecord,
  options: { readonly urlIsPrefix: boolean },
): boolean {
  const any = (name: string, test: (value: string) => boolean): boolean =>
    listOf(query, name)?.some(test) ?? true;
  const url = new URL(run.url);
  const from = numberOf(query, "fromDate") ?? 0;
  const to = numberOf(query, "toDate") ?? Number.POSITIVE_INFINITY;
  return (
    any("workflowRunId", (id) => run.id === id) &&
    any("workflowRunIds", (id) => run.id === id) &&
    any("workflowUrl", (one) => (options.urlIsPrefix ? run.url.startsWith(one) : run.url === one)) &&
    any("host", (host) => url.host === host) &&
    any("path", (path) => url.pathname === path) &&
    any("workflowCreatedAt", (at) => run.createdAt === Number(at)) &&
    any("state", (state) => run.state === state) &&
    any("label", (label) => run.labels.includes(label)) &&
    any("flowControlKey", (key) => run.fields["upstash-flow-control-key"] === key) &&
    any("callerIp", (ip) => ip === "127.0.0.1") &&
    any("messageId", (id) => run.journal.some((entry) => entry.messageId === id)) &&
    run.createdAt >= from &&
    run.createdAt <= to
  );
}

/** Whether a dead letter is one that a query asks for. */
export function matchesLetter(query: URLSearchParams, letter: DeadLetter): boolean {
  const { run } = letter.message;
  const any = (name: string, test: (value: string) => boolean): boolean =>
    listOf(query, name)?.some(test) ?? true;
  const from = numberOf(query, "fromDate") ?? 0;
  const to = numberOf(query, "toDate") ?? Number.POSITIVE_INFINITY;
  return (
    any("dlqIds", (id) => letter.dlqId === id) &&
    any("source", (source) => source !== "workflow" || run !== undefined) &&
    any("url", (url) => letter.url === url) &&
    any("responseStatus", (status) => letter.responseStatus === Number(status)) &&
    any("workflowRunId", (id) => run?.id === id) &&
    any("workflowUrl", (url) => run?.url === url) &&
    any("workflowCreatedAt", (at) => run?.createdAt === Number(at)) &&
    any("failureFunctionState", (state) => run?.failureCallback === state) &&
    any("label", (label) => run?.labels.includes(label) ?? false) &&
    letter.createdAt >= from &&
    letter.createdAt <= to
  );
}
