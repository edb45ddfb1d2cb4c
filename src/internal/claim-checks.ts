import type { Claims } from "../claims.ts";
import { StepsealError } from "../errors.ts";
import type { Expected } from "../expected.ts";
import { isBytes } from "./bytes.ts";
import { KIND_CODES, KINDS, NAMES, PARENT_BYTES } from "./claim-table.ts";

/**
 * Refuses a claim that is misspelt or undefined, which would be a check or a binding left out in silence, and a
 * kind that is none. Types say so too, where there are types.
 */
export function checkNames(given: Claims | Expected, where: "claims" | "expected"): void {
  checkObject(given, where);
  for (const name in given) {
    if (!NAMES.has(name)) {
      throw wrongClaim(where, `has the unknown claim ${quote(name)}`, `Known: ${[...NAMES].join(", ")}.`);
    }
    if (given[name as keyof Claims] === undefined) {
      throw wrongClaim(`${where}.${name}`, "is undefined", "Leave it out, or give it a value.");
    }
  }
  const { kind } = given;
  if (where === "expected" && Array.isArray(kind) ? kind.every(isKind) : isKind(kind)) return;
  throw wrongClaim(
    `${where}.kind`,
    "is no kind that stepseal knows",
    `Known: ${[...KINDS.values()].join(", ")}.`,
  );
}

/** Refuses what has no members at all. */
export function checkObject(given: unknown, where: "claims" | "expected"): asserts given is object {
  if (typeof given === "object" && given !== null) return;
  const found = given === null ? "null" : `of type ${typeof given}`;
  throw wrongClaim(where, `is ${found}`, "Give an object with a kind.");
}

function isKind(kind: unknown): boolean {
  return typeof kind === "string" && Object.hasOwn(KIND_CODES, kind);
}

/** Refuses a parent that is not a digest. */
export function checkParent(parent: unknown, where: "claims" | "expected"): void {
  if (isBytes(parent) && parent.length === PARENT_BYTES) return;
  const found = isBytes(parent) ? `has ${parent.length} bytes` : `is of type ${typeof parent}`;
  throw wrongClaim(`${where}.parent`, found, `Give a Uint8Array of ${PARENT_BYTES} bytes.`);
}

/** What the caller gave is no claim: CONFIG. */
export function wrongClaim(where: string, problem: string, fix: string): StepsealError {
  return new StepsealError("CONFIG", `${where} ${problem}. ${fix}`);
}

/** Quoted so that control characters cannot forge a line in a log. */
export function quote(text: unknown): string {
  if (text === undefined) return "absent";
  return typeof text === "string" ? JSON.stringify(text.slice(0, 64)) : `of type ${typeof text}`;
}
