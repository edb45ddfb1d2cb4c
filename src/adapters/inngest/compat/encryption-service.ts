import { own } from "../gate/event.ts";

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Ciphers of your own in place of the official one, as `@inngest/middleware-encryption` has them.
 *
 * @example
 * ```ts
 * import { EncryptionService } from "stepseal/inngest/compat";
 *
 * class Reversed extends EncryptionService {
 *   identifier = "reversed";
 *   encrypt = (value: unknown) => [...JSON.stringify(value)].reverse().join("");
 *   decrypt = (data: string) => JSON.parse([...data].reverse().join(""));
 * }
 * console.log(new Reversed().encrypt({ n: 1 })); // }1:"n"{
 * ```
 */
export abstract class EncryptionService {
  /** Marks a value as encrypted. */
  static readonly ENCRYPTION_MARKER = "__ENCRYPTED__" as const;
  /** Holds the `identifier` of the service that encrypted a value. */
  static readonly STRATEGY_MARKER = "__STRATEGY__" as const;
  /** The field of event data that is encrypted by default. */
  static readonly DEFAULT_ENCRYPTED_EVENT_FIELD = "encrypted" as const;

  /** Stands in every value that the service encrypted. */
  public abstract identifier: string;
  /** Encrypts a JSON value. */
  public abstract encrypt(value: unknown): MaybePromise<string>;
  /** Undoes `encrypt`; throws for what it did not make. */
  public abstract decrypt(value: string): MaybePromise<unknown>;
}

/** Types of the values that the official middleware sends. */
export declare namespace EncryptionService {
  /** A value as it is sent. */
  interface EncryptedValue {
    __ENCRYPTED__: true;
    __STRATEGY__: string | undefined;
    data: string;
  }
  /** A value as versions before 1.0 sent it. */
  interface V0EncryptedValue {
    __ENCRYPTED__: true;
    data: string;
  }
  /** A value and whatever else a service needs to decrypt it. */
  interface PartialEncryptedValue extends Omit<EncryptedValue, "__ENCRYPTED__" | "__STRATEGY__"> {
    [key: string]: unknown;
  }
}

/** Whether a value has the shape of one that the official middleware sends, or stepseal. */
export function isEncryptedValue(value: unknown): value is EncryptionService.EncryptedValue {
  return isMarked(value) && typeof own(value, "__STRATEGY__") === "string";
}

/** Whether a value has the shape of one that versions before 1.0 sent. */
export function isV0EncryptedValue(value: unknown): value is EncryptionService.V0EncryptedValue {
  return isMarked(value) && !Object.hasOwn(value as object, "__STRATEGY__");
}

function isMarked(value: unknown): boolean {
  return own(value, "__ENCRYPTED__") === true && typeof own(value, "data") === "string";
}
