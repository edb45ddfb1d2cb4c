import type * as BufferModule from "node:buffer";

/** What this file needs of the global `process`; runtimes other than Node have less of it, or none. */
type ProcessLike = { getBuiltinModule?: (id: string) => unknown };

/**
 * One of Node's own modules where there is one, without an import that other runtimes would fail on.
 * Called on first use and not at module load, where some runtimes forbid it.
 */
export function builtin<T>(id: string): T | undefined {
  const host = (globalThis as { process?: ProcessLike }).process;
  try {
    return host?.getBuiltinModule?.(id) as T | undefined;
  } catch {
    return undefined;
  }
}

type NodeBytes = {
  readonly Buffer: typeof Buffer;
  /** Whether bytes are ASCII, and whether they are UTF-8: both or neither. */
  readonly isAscii: ((bytes: Uint8Array) => boolean) | undefined;
  readonly isUtf8: ((bytes: Uint8Array) => boolean) | undefined;
};

let found: NodeBytes | null | undefined;

/** Node's Buffer, where it is one that knows base64url (the older copies for browsers do not). */
export function nodeBytes(): NodeBytes | undefined {
  if (found === undefined) found = detect();
  return found ?? undefined;
}

function detect(): NodeBytes | null {
  const candidate = (globalThis as { Buffer?: typeof Buffer }).Buffer;
  if (typeof candidate?.isEncoding !== "function" || !candidate.isEncoding("base64url")) return null;
  const { isAscii, isUtf8 } = builtin<typeof BufferModule>("node:buffer") ?? {};
  const both = typeof isAscii === "function" && typeof isUtf8 === "function";
  return { Buffer: candidate, isAscii: both ? isAscii : undefined, isUtf8: both ? isUtf8 : undefined };
}
