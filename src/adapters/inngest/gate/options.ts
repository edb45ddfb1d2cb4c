import { StepsealError } from "../../../errors.ts";
import type { Keyring } from "../../../keyring/keyring.ts";
import { createSealer, type SealerOptions } from "../../../sealer.ts";
import { envelopeSealer, type ValueSealer } from "../../../value-sealer.ts";
import { checkShape } from "../../check-shape.ts";
import { type KeyOptions, type MaybePromise, type SealerSource, sealerSource } from "../../sealer-source.ts";
import { optionsSchema, type PlaintextPath } from "./option-schemas.ts";

export type { PlaintextPath } from "./option-schemas.ts";

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

/** Formats of Inngest's own middleware, @inngest/middleware-encryption; docs/migrating.md. */
export interface LegacyOptions {
  /** Its `key` and `fallbackDecryptionKeys`, at most 8, tried in this order. The first one seals. */
  readonly passphrases: readonly string[];
  /**
   * Open its values. Default true. `"bound"`: only those that stepseal wrote in its format, which say where they
   * belong; those of the middleware itself are refused. False: none, as without this option.
   */
  readonly read?: boolean | "bound";
  /** Seal in its format, so that it can open what is sealed here. Default false. */
  readonly write?: boolean;
  /** Open values of its versions before 1.0, too, which nothing protects from being altered. Default false. */
  readonly v0?: boolean;
  /** Further fields of events in which its values are opened, beside `eventFields`. */
  readonly fields?: readonly string[];
}

/**
 * Options of {@link encryptionMiddleware}. All have defaults: `encryptionMiddleware()` reads its keys from the
 * environment and seals everything that can be sealed.
 */
export interface EncryptionMiddlewareOptions extends KeyOptions {
  /** Top-level keys of `event.data` that are sealed in events and invoke payloads. Default `["encrypted"]`. */
  readonly eventFields?: readonly string[];
  /** Open what is sealed, seal nothing: for leaving stepseal. Implies `plaintext: "accept"`. */
  readonly decryptOnly?: boolean;
  /**
   * What to do with plaintext that stands where ciphertext is expected. Default `"reject"`; `"warn"` while values of
   * Inngest's own middleware are read, which leaves errors, inputs and null as they are.
   */
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
  /** Read and write formats of Inngest's own middleware, while runs that it began are in flight. */
  readonly legacy?: LegacyOptions;
  /** Paths that may leave unsealed. Default: none. */
  readonly allowPlaintext?: readonly PlaintextPath[];
  /** Called at each seal and open with kid, state, kind, operation and size, never with data. */
  readonly onUse?: NonNullable<SealerOptions["onUse"]>;
}

/** The options, checked and with their defaults. */
export interface ResolvedOptions extends SealerSource<ValueSealer> {
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
  /**
   * Whether a call may carry no token, and its result then none: as those that the official middleware has to understand,
   * and those of processes that seal nothing.
   */
  readonly takesUntied: boolean;
  readonly legacy: {
    /** Whether what leaves has to be readable for the official middleware. */
    readonly writes: boolean;
    /** Whether a field of an event may hold such a value, though it is not one that is sealed. */
    readonly opensField: (field: string) => boolean;
  };
  readonly allows: (path: PlaintextPath) => boolean;
}

/**
 * Checks the options and fills in their defaults.
 *
 * @throws {StepsealError} `CONFIG`, naming the option and the fix
 */
export function resolveOptions(options: EncryptionMiddlewareOptions = {}): ResolvedOptions {
  checkShape("encryptionMiddleware", options, optionsSchema);
  if (options.legacy?.write === true && (options.legacy.read === false || options.decryptOnly === true)) {
    throw new StepsealError(
      "CONFIG",
      'encryptionMiddleware: option "legacy.write" seals values that "legacy.read: false" could not open, and that "decryptOnly" does not make; leave one of the two out',
    );
  }
  return withDefaults(
    options,
    sealerSource("encryptionMiddleware", options, (ring) => sealerOf(ring, options)),
  );
}

function sealerOf(
  keyring: Keyring,
  { scope, onUse, legacy }: EncryptionMiddlewareOptions,
): MaybePromise<ValueSealer> {
  const sealer = envelopeSealer(
    createSealer({
      keyring,
      ...(scope !== undefined && { scope }),
      ...(onUse !== undefined && { onUse }),
    }),
  );
  if (legacy === undefined) return sealer;
  const { passphrases, read = true, write = false, v0 = false } = legacy;
  // Loaded only here: nobody else pays for the official formats.
  return import("../../../legacy/sealer.ts").then(({ legacySealer }) =>
    legacySealer(sealer, { passphrases, read, write, v0, scope, onUse }),
  );
}

/** The options of the gate itself: not those that say what it seals with. */
export type GateOptions = Omit<EncryptionMiddlewareOptions, "keyring" | "key" | "fallbackKeys" | "scope">;

/**
 * Fills in the defaults.
 *
 * @throws {StepsealError} `CONFIG` for options that exclude each other
 */
export function withDefaults(options: GateOptions, sealers: SealerSource<ValueSealer>): ResolvedOptions {
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
  const reads = options.legacy !== undefined && (options.legacy.read ?? true) === true;
  const legacyFields = new Set(options.legacy?.fields);
  const plaintext =
    options.plaintext ?? (options.decryptOnly === true ? "accept" : reads ? "warn" : "reject");
  return {
    ...sealers,
    eventFields: new Set(options.eventFields ?? ["encrypted"]),
    seals: options.decryptOnly !== true,
    plaintext,
    runBinding: options.runBinding ?? "trigger",
    errors: options.errors ?? "seal",
    gateway: options.gateway ?? "refuse",
    platformErrors: options.plaintextFrom?.platformErrors ?? true,
    plainFunctions: new Set(options.plaintextFrom?.functions),
    plainEvents: new Set(options.plaintextFrom?.events),
    editedInputs: options.plaintextFrom?.editedInputs ?? false,
    takesUntied: plaintext !== "reject" || (options.legacy !== undefined && options.legacy.read !== false),
    legacy: {
      writes: options.legacy?.write ?? false,
      opensField: (field) => reads && legacyFields.has(field),
    },
    allows: (path) => options.decryptOnly === true || allowed.has(path),
  };
}
