import * as z from "zod/mini";
import { func, nonEmpty } from "../../check-shape.ts";
import { keyShape } from "../../sealer-source.ts";

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

/** A path that is refused or sealed by default and leaves in plaintext where it is named; docs/engines/inngest.md lists them. */
export type PlaintextPath = (typeof PLAINTEXT_PATHS)[number];

/** `_inngest` is written by the platform; `__proto__` is no name for a field that survives JavaScript. */
const fieldName = nonEmpty.check(
  z.refine((field) => field !== "_inngest" && field !== "__proto__", "names a member that cannot be sealed"),
);

const sendersSchema = z.strictObject({
  platformErrors: z.optional(z.boolean()),
  functions: z.optional(z.array(nonEmpty)),
  events: z.optional(z.array(nonEmpty)),
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
  ...keyShape,
  eventFields: z.optional(z.array(fieldName)),
  scope: z.optional(nonEmpty),
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

function isService(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { identifier, encrypt, decrypt } = value as Record<string, unknown>;
  return typeof identifier === "string" && typeof encrypt === "function" && typeof decrypt === "function";
}
