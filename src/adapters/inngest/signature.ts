import { encodeUtf8 } from "../../internal/utf8.ts";
import { INNGEST_HEADER, inngestSigner, readInngestSignature, signInngest } from "../../transport/inngest.ts";
import { type SigningKey, uncheckedInngestKey } from "../../transport/key.ts";
import { SignatureError } from "../../transport/signature-error.ts";

/**
 * Signs a rewritten response again, with the key that signed the one it replaces.
 *
 * The SDK signs before the response reaches the gate and does not say which of its keys verified the request, so
 * the old signature is made again with each; the key that makes it is the one. A response without a signature
 * (dev server, connect) gets none; one that no key explains was changed by another middleware, and is left.
 *
 * @param oldBody what the SDK signed; where it had no text to answer, it signed "undefined"
 * @param keys signing keys, `signkey-<env>-<hex>`
 * @param now time in milliseconds
 */
export function signAgain(
  headers: Readonly<Record<string, string>>,
  oldBody: string | undefined,
  newBody: string,
  keys: readonly (string | undefined)[],
  now: number,
): Record<string, string> {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === INNGEST_HEADER);
  const key = name === undefined ? undefined : signerOf(headers[name]!, String(oldBody), keys);
  if (name === undefined || key === undefined) return { ...headers };
  return { ...headers, [name]: signInngest(key, encodeUtf8(newBody), Math.round(now / 1000)) };
}

function signerOf(
  header: string,
  body: string,
  keys: readonly (string | undefined)[],
): SigningKey | undefined {
  const known = keys.filter((key) => key !== undefined).map(uncheckedInngestKey);
  try {
    return inngestSigner(readInngestSignature(header), encodeUtf8(body), known);
  } catch (error) {
    if (error instanceof SignatureError) return undefined;
    throw error;
  }
}
