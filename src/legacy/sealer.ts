import { type Claims, decodeClaims } from "../claims.ts";
import {
  type CodecOptions,
  decodeValue,
  type Encoded,
  encodeJson,
  encodeValue,
  MAX_PLAINTEXT_BYTES,
} from "../codec.ts";
import { StepsealError } from "../errors.ts";
import { checkClaims, checkScope } from "../expected.ts";
import { base64Bytes, decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { readData } from "../internal/shape.ts";
import { tell } from "../internal/tell.ts";
import type { OpenExpected, SealClaims, Use } from "../sealer.ts";
import { envelopeClaims, kidOf, type SealedValue, type ValueSealer } from "../value-sealer.ts";
import { bind, boundClaims, decodeText } from "./binding.ts";
import { openSalted } from "./crypto-js.ts";
import { openBox, sealBox } from "./libsodium.ts";
import { bindingOf, formatOf } from "./official.ts";
import { type PassphraseKey, passphraseKeys } from "./passphrases.ts";

/** How the official formats are read and written. */
export interface LegacySettings {
  /** The first seals. */
  readonly passphrases: readonly string[];
  /** `"bound"`: only values that say where they belong, which the official middleware's do not. */
  readonly read: boolean | "bound";
  /** Seal in the official format, bound. */
  readonly write: boolean;
  /** Read the format before 1.0, which nothing authenticates. */
  readonly v0: boolean;
  readonly scope: string | undefined;
  readonly onUse: ((use: Use) => void) | undefined;
}

type Expect = OpenExpected | ((claims: Claims) => OpenExpected);

const LIMITS: CodecOptions = {
  compress: false,
  pad: false,
  maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
  maxInflatedBytes: 2 ** 24,
};

/**
 * A sealer that reads the official formats, and writes the one since 1.0 where it is asked to.
 *
 * @param base seals and opens everything else; without it all is sealed in the official format
 */
export function legacySealer(base: ValueSealer | undefined, settings: LegacySettings): ValueSealer {
  const { read, v0, scope, onUse } = settings;
  const keys = passphraseKeys(settings.passphrases);
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  const names = (): string => keys.map(({ kid }) => kid).join(", ");

  const sealEncoded = ({ content, flags, bytes, release }: Encoded, claims: SealClaims): SealedValue => {
    try {
      if (flags !== 0 || bytes === 0) {
        throw new StepsealError("FORMAT", "The official format holds JSON alone, no bytes and no undefined.");
      }
      const [key] = keys as readonly [PassphraseKey];
      const box = sealBox(key.key, content);
      const binding = bind(key, scope === undefined ? claims : { ...claims, scope }, box);
      const format = "inngest/libsodium";
      tell(onUse, { kid: key.kid, kind: claims.kind, operation: "seal", bytes, format });
      return { __ENCRYPTED__: true, __STRATEGY__: format, data: encodeBase64(box), ...binding };
    } finally {
      release();
    }
  };

  const opened = (
    content: Uint8Array,
    { kid }: PassphraseKey,
    kind: Claims["kind"],
    format: NonNullable<Use["format"]>,
  ): unknown => {
    const { value, bytes } = decodeValue(content, 0, LIMITS);
    content.fill(0);
    tell(onUse, { kid, kind, operation: "open", bytes, format });
    return value;
  };

  const openLibsodium = (value: SealedValue, expected: Expect): unknown => {
    const binding = bindingOf(value);
    const box = decodeBase64(value.data);
    if (binding !== undefined) {
      const key = byKid.get(binding.k);
      if (key === undefined) {
        throw new StepsealError(
          "UNKNOWN_KEY",
          `Sealed in the official format under key ${binding.k}, and the passphrases given here have the keys ${names()}. Add the passphrase it was sealed under.`,
          { kid: binding.k },
        );
      }
      const claims = boundClaims(key, binding, box);
      checkScope(claims, scope);
      checkClaims(claims, typeof expected === "function" ? expected(claims) : expected);
      const content = openBox(key.key, box);
      if (content === undefined) throw notAuthentic(key);
      return opened(content, key, claims.kind, "inngest/libsodium");
    }
    if (read === "bound") {
      throw new StepsealError(
        "CONTEXT",
        "Sealed by Inngest's own middleware, whose values do not say where they belong, and those are no longer read here.",
      );
    }
    for (const key of keys) {
      const content = openBox(key.key, box);
      if (content !== undefined) return opened(content, key, kindAt(expected), "inngest/libsodium");
    }
    throw noneOpens();
  };

  const openV0 = (value: SealedValue, expected: Expect): unknown => {
    if (!v0 || read === "bound") {
      throw new StepsealError(
        "LEGACY_NO_KEY",
        "Sealed by Inngest's own middleware before 1.0, in a format that nothing authenticates: it is read only where that is asked for by name (v0).",
      );
    }
    const message = decodeBase64(value.data);
    for (const key of keys) {
      const content = openSalted(key.passphrase, message);
      if (content === undefined || content.length === 0) continue;
      try {
        return opened(content, key, kindAt(expected), "inngest/aes");
      } catch {
        // The padding of a wrong key fits once in 256 times; what comes out of that is no JSON.
      }
    }
    throw noneOpens();
  };

  /** Without a tag that names the key, a wrong passphrase and altered data look alike. The first is worth a retry. */
  const noneOpens = (): StepsealError =>
    new StepsealError(
      "UNKNOWN_KEY",
      `Sealed by Inngest's own middleware, and none of the ${keys.length} keys of the passphrases given here (${names()}) opens it: another passphrase is missing, or the value was altered.`,
    );

  const official: Pick<ValueSealer, "seal" | "sealJson"> = {
    seal: (value, claims) => sealEncoded(encodeValue(value, LIMITS), claims),
    sealJson: (json, claims) => sealEncoded(encodeJson(json, LIMITS), claims),
  };
  const { seal, sealJson } = settings.write || base === undefined ? official : base;

  return {
    seal,
    sealJson,
    open(value, expected) {
      const format = read === false ? undefined : formatOf(value);
      if (format === undefined)
        return base === undefined ? refuseUnofficial(value) : base.open(value, expected);
      const sealed = value as SealedValue;
      if (base64Bytes(sealed.data) > LIMITS.maxPlaintextBytes + 64) throw tooLarge(sealed.data);
      return format === "inngest/libsodium" ? openLibsodium(sealed, expected) : openV0(sealed, expected);
    },
    claimsOf(value) {
      if (read === false || formatOf(value) !== "inngest/libsodium") return envelopeClaims(value);
      try {
        const binding = bindingOf(value as SealedValue);
        return binding && decodeClaims(decodeText(binding.c));
      } catch {
        return undefined;
      }
    },
    recognises(value) {
      if (read === false || formatOf(value) !== "inngest/libsodium") return base?.recognises(value) ?? false;
      return Object.hasOwn(value as object, "t");
    },
  };
}

/** What a value is that carries no claims, for `onUse`: the kind that its reader expects. */
function kindAt(expected: Expect): Claims["kind"] {
  // The readers of steps tell results by what they claim to be; without a claim it is a step's own.
  const { kind } = typeof expected === "function" ? expected({ kind: "step.output" }) : expected;
  return typeof kind === "string" ? kind : kind[0]!;
}

/** Refuses what is in no official format, where there is no ring. */
export function refuseUnofficial(value: unknown): never {
  readData(value);
  const kid = kidOf(value as SealedValue)!;
  throw new StepsealError(
    "UNKNOWN_KEY",
    `Sealed under key ${kid} of a ring, and only passphrases are configured here. Use encryptionMiddleware of stepseal/inngest with the ring and the option legacy.`,
    { kid },
  );
}

function notAuthentic({ kid }: PassphraseKey): StepsealError {
  return new StepsealError("CORRUPT", `The value sealed under key ${kid} is not authentic.`, { kid });
}

function tooLarge(data: string): StepsealError {
  return new StepsealError(
    "TOO_LARGE",
    `The sealed value has ${base64Bytes(data)} bytes, more than the limit of ${LIMITS.maxPlaintextBytes}.`,
  );
}
