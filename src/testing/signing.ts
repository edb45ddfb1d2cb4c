import { encodeUtf8 } from "../internal/utf8.ts";
import { bearerToken, checkInngest, readInngestSignature, signInngest } from "../transport/inngest.ts";
import { inngestKey } from "../transport/key.ts";
import { SignatureError, type SignatureErrorCode } from "../transport/signature-error.ts";

/** Whether the key can be used: hex digits after an optional `signkey-<env>-`. */
export { isHexKey as isSigningKey } from "../transport/inngest.ts";

/**
 * The `x-inngest-signature` of a body.
 *
 * @param body the text as sent; canonical JSON for a request
 */
export function sign(body: string, key: string, seconds: number = Math.floor(Date.now() / 1000)): string {
  return signInngest(inngestKey(key, "signing key"), encodeUtf8(body), seconds);
}

const FAULTS: { readonly [code in SignatureErrorCode]?: string } = {
  MALFORMED: "its x-inngest-signature header is malformed",
  EXPIRED: "its signature is over five minutes old",
  FROM_FUTURE: "its signature is of over five minutes from now",
  MISMATCH: "its signature does not cover its body",
};

/** Why a signature does not hold, or undefined when it does. */
export function signatureFault(
  signature: string | null | undefined,
  body: string,
  key: string,
): string | undefined {
  if (!signature) return "it has no x-inngest-signature header";
  try {
    const keys = [inngestKey(key, "signing key")];
    checkInngest(readInngestSignature(signature), encodeUtf8(body), keys, Date.now() / 1000);
    return undefined;
  } catch (error) {
    const fault = error instanceof SignatureError ? FAULTS[error.code] : undefined;
    if (fault === undefined) throw error;
    return fault;
  }
}

/** The token of API calls. */
export function apiToken(signingKey: string): string {
  return bearerToken(signingKey, "signing key");
}
