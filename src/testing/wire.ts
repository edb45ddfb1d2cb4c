import type { WireEntry } from "./types.ts";

/** Headers as a plain object with lower-case names. */
export function headersOf(headers: Headers): Record<string, string> {
  const plain: Record<string, string> = {};
  headers.forEach((value, name) => {
    plain[name] = value;
  });
  return plain;
}

/** An entry that leaves out what is undefined. */
export function wireEntry(
  entry: Omit<WireEntry, "status" | "runId" | "functionId"> & {
    readonly status: number | undefined;
    readonly runId: string | undefined;
    readonly functionId: string | undefined;
  },
): WireEntry {
  const { status, runId, functionId, ...rest } = entry;
  return {
    ...rest,
    ...(status === undefined ? {} : { status }),
    ...(runId === undefined ? {} : { runId }),
    ...(functionId === undefined ? {} : { functionId }),
  };
}

/** A JSON answer of the platform. */
export function jsonResponse(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}
