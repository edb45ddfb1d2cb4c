import { StepsealError } from "../errors.ts";
import { isKid } from "../internal/kid.ts";
import type { SealedValue } from "../value-sealer.ts";
import type { Binding } from "./binding.ts";

/** The formats of Inngest's own middleware: since 1.0, and before. */
export type OfficialFormat = "inngest/libsodium" | "inngest/aes";

/** Which official format a value has; undefined for none. */
export function formatOf(value: unknown): OfficialFormat | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { __ENCRYPTED__, data, __STRATEGY__ } = ownMembers(value);
  if (__ENCRYPTED__ !== true || typeof data !== "string") return undefined;
  if (__STRATEGY__ === "inngest/libsodium") return "inngest/libsodium";
  // Versions before 1.0 named no strategy; later ones call the same format this.
  return __STRATEGY__ === undefined || __STRATEGY__ === "inngest/aes" ? "inngest/aes" : undefined;
}

/**
 * What binds a value to its place; undefined where the official middleware wrote it.
 *
 * @throws {StepsealError} FORMAT where it is there in part, or names no kid
 */
export function bindingOf(value: SealedValue): Binding | undefined {
  const { k, c, t } = ownMembers(value);
  if (k === undefined && c === undefined && t === undefined) return undefined;
  if (typeof k === "string" && typeof c === "string" && typeof t === "string" && isKid(k)) return { k, c, t };
  throw new StepsealError(
    "FORMAT",
    "The value in the official format has some of the members k, c and t, and not all three as they should be.",
  );
}

/** Nothing that a value inherits is data. */
function ownMembers(value: object): Readonly<Record<string, unknown>> {
  return Object.assign(Object.create(null), value);
}
