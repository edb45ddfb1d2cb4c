import type { Sealed } from "../../conformance/crossing.ts";

/** By the runtime that sealed them. Stands for a module that bundle.ts makes when the first runs are done. */
export const envelopes: Readonly<Record<string, readonly Sealed[]>> = {};
