import { chainDigest } from "../../chain.ts";
import { sealedStrings, type WireEvent } from "./event.ts";

/** Digest of the event that started a run: by its sealed strings, or, where it has none, by its id. */
export function triggerDigest(event: WireEvent): Uint8Array {
  const sealed = sealedStrings(event);
  const parts = sealed.length > 0 ? sealed : [typeof event.id === "string" ? event.id : ""];
  return chainDigest(String(event.name), parts);
}
