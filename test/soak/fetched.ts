import { createKeyringSource, type KeyringSource } from "stepseal";
import type { Ring } from "./rotation.ts";

/** The keys of a process that goes on, and what gives it others. */
export interface Fetched {
  readonly source: KeyringSource;
  deploy(ring: Ring): Promise<void>;
}

/** A source of rings that is asked again at each deploy, and for a key that is missing. */
export function fetched(first: Ring): Fetched {
  let ring = first;
  const source = createKeyringSource({ provider: () => ({ keys: ring }), minIntervalMs: 1 });
  return {
    source,
    async deploy(next) {
      ring = next;
      await source.refresh();
    },
  };
}
