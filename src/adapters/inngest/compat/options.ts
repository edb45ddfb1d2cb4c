import { StepsealError } from "../../../errors.ts";
import { legacySealer, refuseUnofficial } from "../../../legacy/sealer.ts";
import type { ValueSealer } from "../../../value-sealer.ts";
import { checkShape } from "../../check-shape.ts";
import { compatSchema, MAX_PASSPHRASES } from "../gate/option-schemas.ts";
import { type GateOptions, type ResolvedOptions, withDefaults } from "../gate/options.ts";
import type { EncryptionService } from "./encryption-service.ts";
import { serviceSealer } from "./service-sealer.ts";

/** Passphrases as the official middleware takes them. */
export interface CompatKeys {
  /** The passphrase that encrypts and decrypts. Needed unless there is an `encryptionService`. */
  key?: string;
  /** Passphrases that only decrypt, tried in this order. Empty ones are left out. */
  fallbackDecryptionKeys?: string[];
}

/**
 * Options of the drop-in `encryptionMiddleware`: those of `@inngest/middleware-encryption`, and those of stepseal's that
 * say what happens on paths which the official one does not encrypt.
 */
export interface EncryptionMiddlewareOptions
  extends CompatKeys,
    Pick<
      GateOptions,
      "allowPlaintext" | "errors" | "gateway" | "onUse" | "plaintext" | "plaintextFrom" | "runBinding"
    > {
  /** Decrypt, and encrypt nothing. */
  decryptOnly?: boolean;
  /** Encrypts and decrypts in place of the official cipher; it may be asynchronous. */
  encryptionService?: EncryptionService;
  /** The top-level field of event data that is encrypted. Default `"encrypted"`. */
  eventEncryptionField?: string;
  /**
   * Given at all, values of versions before 1.0 are decrypted, which nothing protects from being altered. They are
   * never made: `forceEncryptWithV0: true` is refused.
   */
  legacyV0Service?: {
    forceEncryptWithV0?: boolean;
    /** Fields of event data that such senders encrypted, beside `eventEncryptionField`. */
    eventEncryptionField?: string | string[] | ((field: string) => boolean) | false;
  };
}

/**
 * Checks the options of the drop-in and fills in their defaults.
 *
 * @throws {StepsealError} `CONFIG`, naming the option and the fix
 */
export function resolveCompatOptions(options: EncryptionMiddlewareOptions): ResolvedOptions {
  checkShape("encryptionMiddleware", options, compatSchema);
  const { encryptionService: service, eventEncryptionField = "encrypted", legacyV0Service: v0 } = options;
  const passphrases = service !== undefined && !options.key ? [] : passphrasesOf(options);
  const official =
    passphrases.length === 0
      ? undefined
      : compatSealer(passphrases, { v0: v0 !== undefined, onUse: options.onUse });
  const resolved = withDefaults(
    { ...options, eventFields: [eventEncryptionField], legacy: { passphrases, write: true } },
    {
      sealer:
        service === undefined
          ? () => official!
          : // One for each request: it holds what the service gave.
            () => serviceSealer(service, official ?? { open: refuseUnofficial }),
    },
  );
  return { ...resolved, legacy: { ...resolved.legacy, opensField: fieldsOf(v0?.eventEncryptionField) } };
}

/** A sealer of the official format alone. */
export function compatSealer(
  passphrases: readonly string[],
  { v0 = false, onUse }: { readonly v0?: boolean; readonly onUse?: GateOptions["onUse"] | undefined } = {},
): ValueSealer {
  return legacySealer(undefined, { passphrases, read: true, write: true, v0, scope: undefined, onUse });
}

/**
 * The passphrases, the one that encrypts first.
 *
 * @throws {StepsealError} `CONFIG` without a `key`, or with more passphrases than are tried
 */
export function passphrasesOf({ key, fallbackDecryptionKeys = [] }: CompatKeys): readonly string[] {
  // The official one goes on with a fallback here, which it then encrypts with.
  if (key === undefined || key.trim() === "") {
    throw new StepsealError(
      "CONFIG",
      'encryptionMiddleware: option "key" is missing or empty; give the passphrase that encrypts, or an "encryptionService"',
    );
  }
  const passphrases = [
    key,
    ...fallbackDecryptionKeys.filter((text) => text !== undefined && text.trim() !== ""),
  ];
  if (passphrases.length > MAX_PASSPHRASES) {
    throw new StepsealError(
      "CONFIG",
      `encryptionMiddleware: option "fallbackDecryptionKeys" makes ${passphrases.length} passphrases with "key"; at most ${MAX_PASSPHRASES} are tried`,
    );
  }
  return passphrases;
}

type V0Fields = NonNullable<EncryptionMiddlewareOptions["legacyV0Service"]>["eventEncryptionField"];

function fieldsOf(fields: V0Fields): (field: string) => boolean {
  if (typeof fields === "function") return (field) => fields(field);
  const names = new Set<unknown>([fields].flat());
  return (field) => names.has(field);
}
