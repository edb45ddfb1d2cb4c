import * as z from "zod/mini";
import { StepsealError } from "../../errors.ts";
import { Keyring } from "../../keyring/keyring.ts";
import { isKeyringSource, type KeyringSource } from "../../keyring/source.ts";

/** Paths that are refused or sealed by default and may leave in plaintext where they are named; docs/inngest.md. */
const PLAINTEXT_PATHS = [
  "event-user",
  "ai-infer",
  "fetch",
  "metadata",
  "signal",
  "realtime",
  "defer",
  "durable-endpoint",
  "stream",
  "sandbox",
  "traces",
] as const;
export type PlaintextPath = (typeof PLAINTEXT_PATHS)[number];

const name = z.string().check(z.minLength(1));

/** `_inngest` is written by the platform; `__proto__` is no name for a field that survives JavaScript. */
const fieldName = name.check(
  z.refine((field) => field !== "_inngest" && field !== "__proto__", "names a member that cannot be sealed"),
);

const func = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === "function",
  "expected a function",
);

const sendersSchema = z.strictObject({
  platformErrors: z.optional(z.boolean()),
  functions: z.optional(z.array(name)),
  events: z.optional(z.array(name)),
  editedInputs: z.optional(z.boolean()),
});

/** Each passphrase costs a trial of every value that does not name its key. */
export const MAX_PASSPHRASES = 8;

const passphrasesSchema: z.ZodMiniType<readonly string[]> = z
  .array(z.string().check(z.refine((text) => text.trim() !== "", "must not be empty")))
  .check(
    z.minLength(1, "needs a passphrase"),
    z.maxLength(MAX_PASSPHRASES, `holds more than ${MAX_PASSPHRASES} passphrases`),
  );

const legacySchema = z.strictObject({
  passphrases: passphrasesSchema,
  read: z.optional(z.union([z.boolean(), z.literal("bound")], 'must be true, false or "bound"')),
  write: z.optional(z.boolean()),
  v0: z.optional(z.boolean()),
  fields: z.optional(z.array(fieldName)),
});

/** Options that every form of the middleware takes. */
const gateShape = {
  plaintext: z.optional(z.enum(["reject", "warn", "accept"])),
  runBinding: z.optional(z.enum(["trigger", "run", "function"])),
  errors: z.optional(z.enum(["seal", "redact", "plaintext"])),
  plaintextFrom: z.optional(sendersSchema),
  gateway: z.optional(z.enum(["refuse", "local"])),
  allowPlaintext: z.optional(z.array(z.enum(PLAINTEXT_PATHS))),
  onUse: z.optional(func),
  decryptOnly: z.optional(z.boolean()),
};

/** Of `encryptionMiddleware`. */
export const optionsSchema: z.ZodMiniObject = z.strictObject({
  ...gateShape,
  keyring: z.optional(
    z.union(
      [
        z.custom<Keyring | KeyringSource>((value) => value instanceof Keyring || isKeyringSource(value)),
        func,
      ],
      "must be a keyring (createKeyring, loadKeyring), a source (createKeyringSource) or a function that returns a keyring",
    ),
  ),
  key: z.optional(z.string()),
  fallbackKeys: z.optional(z.array(z.string())),
  eventFields: z.optional(z.array(fieldName)),
  scope: z.optional(name),
  legacy: z.optional(legacySchema),
});

/** Of the drop-in for the official middleware, whose names these are. */
export const compatSchema: z.ZodMiniObject = z.strictObject({
  ...gateShape,
  key: z.optional(z.string()),
  // An unset environment variable is left out, as the official one does.
  fallbackDecryptionKeys: z.optional(z.array(z.optional(z.string()))),
  encryptionService: z.optional(
    z.custom(isService, "must have a text as identifier, and the functions encrypt and decrypt"),
  ),
  eventEncryptionField: z.optional(fieldName),
  legacyV0Service: z.optional(
    z.strictObject({
      forceEncryptWithV0: z.optional(
        z
          .boolean()
          .check(
            z.refine(
              (force) => !force,
              "would write the format before 1.0, which nothing authenticates; let every app read the newer one first, then migrate",
            ),
          ),
      ),
      eventEncryptionField: z.optional(z.union([z.string(), z.array(z.string()), func, z.literal(false)])),
    }),
  ),
});

/**
 * Checks options against a schema.
 *
 * @throws {StepsealError} `CONFIG`, naming each option that is wrong
 */
export function checkShape(options: unknown, schema: z.ZodMiniObject): void {
  const checked = schema.safeParse(options);
  if (checked.success) return;
  const problems = checked.error.issues.map((issue) => {
    const at = issue.path.length > 0 ? `option "${issue.path.join(".")}" ` : "";
    return at + describeIssue(issue, schema);
  });
  throw new StepsealError("CONFIG", `encryptionMiddleware: ${problems.join("; ")}`);
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
    case "too_small":
      return issue.message === "Invalid input" ? "must not be empty" : issue.message;
    default:
      return issue.message;
  }
}

/** The members of the object at a path. */
function known(path: readonly PropertyKey[], schema: z.ZodMiniObject): string[] {
  if (path.length === 0) return Object.keys(schema.shape);
  const [at] = path;
  if (at === "legacy") return Object.keys(legacySchema.shape);
  return at === "legacyV0Service"
    ? ["forceEncryptWithV0", "eventEncryptionField"]
    : Object.keys(sendersSchema.shape);
}

function isService(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { identifier, encrypt, decrypt } = value as Record<string, unknown>;
  return typeof identifier === "string" && typeof encrypt === "function" && typeof decrypt === "function";
}
