import { StepsealError } from "../errors.ts";

/**
 * The own members of an options object, in an object without prototype, so that nothing inherited counts. An option
 * that is misspelt would be a check left out in silence, so members that are not known are refused.
 *
 * @param where names the object in messages
 * @throws {StepsealError} CONFIG for anything but an object, and for a member it should not have, naming those it may
 */
export function members(value: unknown, where: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw config(`${where}: found ${describe(value)}, expected an object with ${known.join(", ")}.`);
  }
  const found: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) {
    if (!known.includes(name)) {
      throw config(`${where}: unknown option ${nameOf(name)}. The options are ${known.join(", ")}.`);
    }
    found[name] = member;
  }
  return found;
}

/** The names of all members of an options type: one that is added to the type and not here is a type error. */
export function namesOf<Options>(names: Readonly<Record<keyof Options, true>>): readonly string[] {
  return Object.keys(names);
}

/** Says what a value is and how long, and never what it holds. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "string")
    return value === "" ? "an empty string" : `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Names an unknown member, unless it could be a key that stands in the wrong place. */
function nameOf(name: string): string {
  const isName = name.length <= 24 && [...name].every((char) => /^[\w$-]$/.test(char));
  return isName ? name : `with a name of ${name.length} characters`;
}

function config(message: string): StepsealError {
  return new StepsealError("CONFIG", message);
}
