import * as z from "zod/mini";
import { StepsealError } from "../errors.ts";

/** Any function. */
export const func: z.ZodMiniCustom<(...args: never[]) => unknown> = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === "function",
  "expected a function",
);

/** A text that is not empty. */
export const nonEmpty: z.ZodMiniString = z.string().check(z.minLength(1, "must not be empty"));

/**
 * Checks options against a schema.
 *
 * @param by what the user called: begins the message
 * @throws {StepsealError} CONFIG, naming each option that is wrong
 */
export function checkShape(by: string, options: unknown, schema: z.ZodMiniObject): void {
  const checked = schema.safeParse(options);
  if (checked.success) return;
  const problems = checked.error.issues.map((issue) => {
    const at = issue.path.length > 0 ? `option "${issue.path.join(".")}" ` : "";
    return at + describeIssue(issue, schema);
  });
  throw new StepsealError("CONFIG", `${by}: ${problems.join("; ")}`);
}

/** What is wrong, without the value: it could be a key. */
function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodMiniObject): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `has the unknown option ${issue.keys.map((key) => `"${key}"`).join(", ")}; known: ${known(issue.path, schema).join(", ")}`;
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    default:
      // Each of these is given its own words where it is asked for: those of zod depend on what the app imports of it.
      return issue.message;
  }
}

/** The members of the object at a path. */
function known(path: readonly PropertyKey[], schema: z.ZodMiniObject): string[] {
  let at: unknown = schema;
  for (const key of path) {
    const member: unknown = at instanceof z.ZodMiniObject ? at.shape[String(key)] : undefined;
    at = member instanceof z.ZodMiniOptional ? member._zod.def.innerType : member;
  }
  return at instanceof z.ZodMiniObject ? Object.keys(at.shape) : [];
}
