import * as z from "zod/mini";
import { StepsealError } from "../../errors.ts";
import { Keyring } from "../../keyring/keyring.ts";
import { isKeyringSource, type KeyringSource } from "../../keyring/source.ts";
import type { SealerOptions } from "../../sealer.ts";
import { type SealerSource, sealerSource } from "./sealer-source.ts";

/** Paths that are refused or sealed by default and may leave in plaintext where they are named; docs/inngest.md. */
export const PLAINTEXT_PATHS = [
  "event-user",
  "ai-infer",
  "fetch",
  "metadata",
  "durable-endpoint",
  "stream",
  "sandbox",
  "traces",
] as const;
export type PlaintextPath = (typeof PLAINTEXT_PATHS)[number];

/** Who may send plaintext where a sealed value is expected. */
export interface PlaintextSenders {
  /**
   * Errors that the platform makes itself: time-outs, limits, cancellations. Default true, because a run that timed
   * out has no other; `isPlatformError` tells them apart. False: refused, made up or not.
   */
  readonly platformErrors?: boolean;
  /** Composite ids (`app-function`) of functions of apps without stepseal: results of `step.invoke`. */
  readonly functions?: readonly string[];
  /** Names of events of senders without stepseal. */
  readonly events?: readonly string[];
  /** Arguments that an operator types into a dashboard for the rerun of a step. Default false. */
  readonly editedInputs?: boolean;
}

/**
 * Options of {@link encryptionMiddleware}. All have defaults: `encryptionMiddleware()` reads its keys from the
 * environment and seals everything that can be sealed.
 */
export interface EncryptionMiddlewareOptions {
  /**
   * A ring; a function that loads one, called once, at the first request or send, again only if it failed; or a source
   * (`createKeyringSource`), which loads it again and again.
   */
  readonly keyring?: Keyring | KeyringSource | (() => Keyring | Promise<Keyring>);
  /** The primary key as text (`ssk1_…`), instead of a ring. */
  readonly key?: string;
  /** Decrypt-only keys as text, beside `key`. */
  readonly fallbackKeys?: readonly string[];
  /** Top-level keys of `event.data` that are sealed in events and invoke payloads. Default `["encrypted"]`. */
  readonly eventFields?: readonly string[];
  /** Open what is sealed, seal nothing: for leaving stepseal. Implies `plaintext: "accept"`. */
  readonly decryptOnly?: boolean;
  /** What to do with plaintext that stands where ciphertext is expected. Default `"reject"`. */
  readonly plaintext?: "reject" | "warn" | "accept";
  /**
   * What step data is bound to beside function and step. `"trigger"` (default): the event that started the run,
   * so that a rerun from a step works. `"run"`: the run id too, so that it does not. `"function"`: neither.
   */
  readonly runBinding?: "trigger" | "run" | "function";
  /** `"seal"` (default): errors leave sealed. `"redact"`: replaced, and lost. `"plaintext"`: as they are. */
  readonly errors?: "seal" | "redact" | "plaintext";
  /** Who may send plaintext where a sealed value is expected, whatever `plaintext` says. */
  readonly plaintextFrom?: PlaintextSenders;
  /**
   * `"refuse"` (default): `step.ai.infer`, `step.fetch` and the SDK's `fetch` fail at once, because the platform would
   * make the request and read it. `"local"`: this server makes it, inside a sealed step. A path that
   * `allowPlaintext` names goes through the platform as without stepseal.
   */
  readonly gateway?: "refuse" | "local";
  /** A name that sealed values are bound to (an environment, a tenant); another scope cannot open them. */
  readonly scope?: string;
  /** Paths that may leave unsealed. Default: none. */
  readonly allowPlaintext?: readonly PlaintextPath[];
  /** Called at each seal and open with kid, state, kind, operation and size, never with data. */
  readonly onUse?: NonNullable<SealerOptions["onUse"]>;
}

/** The options, checked and with their defaults. */
export interface ResolvedOptions extends SealerSource {
  readonly eventFields: ReadonlySet<string>;
  readonly seals: boolean;
  readonly plaintext: "reject" | "warn" | "accept";
  readonly runBinding: "trigger" | "run" | "function";
  readonly errors: "seal" | "redact" | "plaintext";
  readonly gateway: "refuse" | "local";
  readonly platformErrors: boolean;
  /** Composite ids of functions whose results may be plaintext. */
  readonly plainFunctions: ReadonlySet<string>;
  /** Names of events whose fields may be plaintext. */
  readonly plainEvents: ReadonlySet<string>;
  readonly editedInputs: boolean;
  readonly allows: (path: PlaintextPath) => boolean;
}

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

const optionsSchema = z.strictObject({
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
  decryptOnly: z.optional(z.boolean()),
  plaintext: z.optional(z.enum(["reject", "warn", "accept"])),
  runBinding: z.optional(z.enum(["trigger", "run", "function"])),
  errors: z.optional(z.enum(["seal", "redact", "plaintext"])),
  plaintextFrom: z.optional(sendersSchema),
  gateway: z.optional(z.enum(["refuse", "local"])),
  scope: z.optional(name),
  allowPlaintext: z.optional(z.array(z.enum(PLAINTEXT_PATHS))),
  onUse: z.optional(func),
});

/**
 * Checks the options and fills in their defaults.
 *
 * @throws {StepsealError} `CONFIG`, naming the option and the fix
 */
export function resolveOptions(options: EncryptionMiddlewareOptions = {}): ResolvedOptions {
  const checked = optionsSchema.safeParse(options);
  if (!checked.success) {
    const problems = checked.error.issues.map((issue) => {
      const at = issue.path.length > 0 ? `option "${issue.path.join(".")}" ` : "";
      return at + describeIssue(issue);
    });
    throw new StepsealError("CONFIG", `encryptionMiddleware: ${problems.join("; ")}`);
  }
  if (options.keyring !== undefined && (options.key !== undefined || options.fallbackKeys !== undefined)) {
    throw new StepsealError(
      "CONFIG",
      'encryptionMiddleware: options "keyring" and "key" or "fallbackKeys" exclude each other; keep one',
    );
  }
  if (options.key === undefined && options.fallbackKeys !== undefined) {
    throw new StepsealError(
      "CONFIG",
      'encryptionMiddleware: option "fallbackKeys" needs "key", the key that seals; add it',
    );
  }
  if (options.decryptOnly === true && (options.plaintext ?? "accept") !== "accept") {
    throw new StepsealError(
      "CONFIG",
      `encryptionMiddleware: option "plaintext" is "${options.plaintext}", but with "decryptOnly" new data is plaintext; leave "plaintext" out`,
    );
  }

  if (options.plaintextFrom?.platformErrors === false && (options.errors ?? "seal") !== "seal") {
    throw new StepsealError(
      "CONFIG",
      `encryptionMiddleware: option "errors" is "${options.errors}", so your own errors come back as readable as the platform's, and "plaintextFrom.platformErrors: false" would refuse them; leave one of the two out`,
    );
  }

  const allowed = new Set<PlaintextPath>(options.allowPlaintext);
  return {
    ...sealerSource(options),
    eventFields: new Set(options.eventFields ?? ["encrypted"]),
    seals: options.decryptOnly !== true,
    plaintext: options.plaintext ?? (options.decryptOnly === true ? "accept" : "reject"),
    runBinding: options.runBinding ?? "trigger",
    errors: options.errors ?? "seal",
    gateway: options.gateway ?? "refuse",
    platformErrors: options.plaintextFrom?.platformErrors ?? true,
    plainFunctions: new Set(options.plaintextFrom?.functions),
    plainEvents: new Set(options.plaintextFrom?.events),
    editedInputs: options.plaintextFrom?.editedInputs ?? false,
    allows: (path) => options.decryptOnly === true || allowed.has(path),
  };
}

/** What is wrong, without the value: it could be a key. */
function describeIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `has the unknown option ${issue.keys.map((key) => `"${key}"`).join(", ")}; known: ${known(issue.path).join(", ")}`;
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return "must not be empty";
    default:
      return issue.message;
  }
}

function known(path: readonly PropertyKey[]): string[] {
  return Object.keys(path.length === 0 ? optionsSchema.shape : sendersSchema.shape);
}
