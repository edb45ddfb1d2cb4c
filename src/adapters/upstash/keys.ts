import { StepsealError } from "../../errors.ts";
import type { Sealer } from "../../sealer.ts";
import type { SealerSource } from "../sealer-source.ts";

/** The keys of one request. */
export interface RequestKeys {
  /** The newest that is known. */
  readonly sealer: Sealer;
  /** Opens something, and again after asking for newer keys, where one was missing and there is somebody to ask. */
  open<Value>(read: (sealer: Sealer) => Value): Promise<Value>;
}

/** @throws {StepsealError} CONFIG where they cannot be loaded */
export async function requestKeys({ sealer, refreshedSealer }: SealerSource<Sealer>): Promise<RequestKeys> {
  let current = await sealer();
  return {
    get sealer() {
      return current;
    },
    async open(read) {
      try {
        return read(current);
      } catch (error) {
        if (refreshedSealer === undefined) throw error;
        if (!(error instanceof StepsealError) || error.code !== "UNKNOWN_KEY") throw error;
        current = await refreshedSealer();
        return read(current);
      }
    },
  };
}
