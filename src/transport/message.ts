import { StepsealError } from "../errors.ts";
import { isBytes } from "../internal/bytes.ts";
import { SignatureError } from "./signature-error.ts";

/** Where QStash puts its token; in lower case, as HTTP/2 and Node write it. */
export const QSTASH_HEADER = "upstash-signature";

/** Headers as `fetch` has them, or as Node's http module does. */
export type HeadersLike = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request or response as it arrived. */
export interface SignedMessage {
  readonly headers: HeadersLike;
  /** The bytes of the body exactly as received: not text, not parsed. Empty where there is none. */
  readonly body: Uint8Array;
}

/**
 * The one value of a header, or undefined where it is absent or empty.
 *
 * @param name in lower case
 * @throws {SignatureError} MALFORMED where it is there more than once
 */
export function oneHeader(headers: HeadersLike, name: string): string | undefined {
  if (isHeaders(headers)) return headers.get(name) || undefined;
  const values = Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value ?? []);
  if (values.length > 1) throw new SignatureError("MALFORMED", `The header ${name} is there more than once.`);
  return values[0] || undefined;
}

/** The body of a message. @throws {StepsealError} CONFIG for what is not bytes */
export function bodyOf({ body }: { readonly body: Uint8Array }): Uint8Array {
  if (isBytes(body)) return body;
  throw new StepsealError(
    "CONFIG",
    `body: found ${body === null ? "null" : typeof body}, expected the bytes as received, as a Uint8Array: a signature does not survive decoding and encoding.`,
  );
}

/** Also of another realm or a library. */
function isHeaders(headers: HeadersLike): headers is Headers {
  return typeof headers.get === "function";
}
