import { StepsealError } from "../../../errors.ts";
import { type SealedValue, SealerUnavailable, type ValueSealer } from "../../../value-sealer.ts";
import { isEnvelopeShaped } from "../gate/event.ts";
import type { EncryptionService } from "./encryption-service.ts";

type Writable = { -readonly [Name in keyof SealedValue]: SealedValue[Name] };
/** How a decryption ended. */
type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * Seals and opens with a user's encryption service, for one request: whatever it takes its time for is awaited before
 * the function starts and before the answer leaves, all at once, and never between steps.
 *
 * Such values say nothing of where they belong: only the service could bind them.
 *
 * @param base opens everything that another strategy made
 */
export function serviceSealer(service: EncryptionService, base: Pick<ValueSealer, "open">): ValueSealer {
  const { identifier } = service;
  const outcomes = new Map<string, Outcome>();
  const pending: Promise<void>[] = [];
  const isOwn = (value: unknown): value is SealedValue =>
    isEnvelopeShaped(value) && value.__STRATEGY__ === identifier;

  const seal = (value: unknown): SealedValue => {
    const sealed: Writable = { __ENCRYPTED__: true, __STRATEGY__: identifier, data: "" };
    const filled = attempt(() => service.encrypt(value)).then((data) => {
      if (typeof data !== "string") throw new TypeError("encrypt gave no string");
      sealed.data = data;
    });
    // Heard of in `settled`, unless sealing something else fails before.
    filled.catch(() => {});
    pending.push(filled);
    return sealed;
  };

  return {
    seal,
    sealJson: (json) => seal(JSON.parse(json)),
    async settled() {
      try {
        await Promise.all(pending);
      } catch (cause) {
        throw new SealerUnavailable(`the encryption service ${JSON.stringify(identifier)} failed`, { cause });
      }
    },
    async prepare(input) {
      const found = new Set<string>();
      collect(input, isOwn, found);
      await Promise.all(
        [...found].map(async (data) => {
          const outcome = attempt(() => service.decrypt(data)).then(
            (value): Outcome => ({ value }),
            (error: unknown): Outcome => ({ error }),
          );
          outcomes.set(data, await outcome);
        }),
      );
    },
    open(value, expected) {
      if (!isOwn(value)) return base.open(value, expected);
      const outcome = outcomes.get(value.data);
      if (outcome === undefined) {
        throw new StepsealError("FORMAT", "A sealed value stands where the encryption service is not asked.");
      }
      // The service's own error, as without stepseal: it may have been down, and is asked again.
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    },
    claimsOf: () => undefined,
    recognises: isOwn,
  };
}

/** The data of every value in `input` that the service made. */
function collect(input: unknown, isOwn: (value: unknown) => value is SealedValue, found: Set<string>): void {
  const seen = new Set<unknown>();
  const left = [input];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (isOwn(value)) found.add(value.data);
    // Names, not entries: an error's cause is not enumerable.
    else
      for (const name of Object.getOwnPropertyNames(value))
        left.push((value as Record<string, unknown>)[name]);
  }
}

/** Calls at once, and turns a throw into a rejection. */
function attempt<T>(call: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve) => resolve(call()));
}
