import type { Claims, Kind } from "./claims.ts";
import { StepsealError } from "./errors.ts";
import { equalBytes, toHex } from "./internal/bytes.ts";
import { checkNames, checkParent, quote } from "./internal/claim-checks.ts";
import { STRINGS } from "./internal/claim-table.ts";

/** What a reader requires of an envelope's claims: what is named must be there and equal, the rest may be anything. */
export interface Expected extends Omit<Claims, "kind"> {
  /** The kind, or those of which it must be one. */
  readonly kind: Kind | readonly Kind[];
}

/**
 * Checks an envelope's claims against what the reader requires.
 *
 * @throws {StepsealError} CONTEXT for the first claim that is missing or differs, naming it with both values (claims
 * are no secret), each cut to 64 characters; CONFIG when `expected` is not well-formed
 */
export function checkClaims(claims: Claims, expected: Expected): void {
  checkNames(expected, "expected");
  const { kind } = expected;
  if (typeof kind === "string" ? kind !== claims.kind : !kind.includes(claims.kind)) {
    throw mismatch("kind", typeof kind === "string" ? kind : kind.join(" or "), claims.kind);
  }
  for (let i = 0; i < STRINGS.length; i++) {
    const name = STRINGS[i]!;
    const wanted = expected[name];
    if (wanted !== undefined && wanted !== claims[name]) throw mismatch(name, wanted, claims[name]);
  }
  if (expected.parent === undefined) return;
  checkParent(expected.parent, "expected");
  if (claims.parent === undefined || !equalBytes(expected.parent, claims.parent)) {
    throw mismatch("parent", toHex(expected.parent), claims.parent && toHex(claims.parent));
  }
}

/**
 * Checks that an envelope was sealed in exactly this scope, or, where there is none, in none.
 *
 * @throws {StepsealError} CONTEXT
 */
export function checkScope(claims: Claims, scope: string | undefined): void {
  if (claims.scope !== scope) throw mismatch("scope", scope, claims.scope);
}

function mismatch(name: string, wanted: string | undefined, found: string | undefined): StepsealError {
  return new StepsealError(
    "CONTEXT",
    `Sealed for another place: the claim ${name} should be ${quote(wanted)} and is ${quote(found)}.`,
  );
}
