import { vi } from "vitest";

/** Runs something where there is neither Buffer nor `process.getBuiltinModule`. It must be synchronous. */
export function withoutNode<T>(run: () => T): T {
  const { Buffer: NodeBuffer } = globalThis;
  const { getBuiltinModule } = process;
  Reflect.set(globalThis, "Buffer", undefined);
  Reflect.set(process, "getBuiltinModule", undefined);
  try {
    return run();
  } finally {
    Reflect.set(globalThis, "Buffer", NodeBuffer);
    Reflect.set(process, "getBuiltinModule", getBuiltinModule);
  }
}

/** A second copy of the package that has not yet looked at the runtime it is in. */
export async function freshCopy(): Promise<typeof import("../src/index.ts")> {
  vi.resetModules();
  return import("../src/index.ts");
}
