/**
 * Every way a signed request fails, as a stable code.
 *
 * | code | meaning |
 * |---|---|
 * | `MISSING` | there is no signature |
 * | `MALFORMED` | the signature, its claims or the body are not of a form that the scheme signs |
 * | `EXPIRED` | authentic, and too old |
 * | `FROM_FUTURE` | authentic, and not valid yet: a clock is wrong |
 * | `MISMATCH` | no configured key made the signature: another key, or altered content |
 * | `WRONG_DESTINATION` | authentic, and signed for another URL (QStash) |
 * | `BODY_ALTERED` | an authentic token that was signed for another body (QStash) |
 * | `REPLAYED` | the same signature was accepted before |
 * | `NO_KEYS` | no signing key is configured, or none for the region of the request |
 * | `UNSUPPORTED_ALGORITHM` | a token that is not plain HS256 (QStash) |
 * | `REPLAY_UNAVAILABLE` | authentic, but the replay store is full or does not answer |
 */
export type SignatureErrorCode =
  | "MISSING"
  | "MALFORMED"
  | "EXPIRED"
  | "FROM_FUTURE"
  | "MISMATCH"
  | "WRONG_DESTINATION"
  | "BODY_ALTERED"
  | "REPLAYED"
  | "NO_KEYS"
  | "UNSUPPORTED_ALGORITHM"
  | "REPLAY_UNAVAILABLE";

/**
 * Why a request or response was not accepted. Branch on `code`; messages may change.
 *
 * For logs and metrics on your side: an unauthenticated caller is answered none of it (`secureEndpoint`). No
 * message or property holds a key, a signature or a part of a body.
 *
 * @example
 * ```ts
 * import { createVerifier, SignatureError } from "stepseal/transport";
 *
 * const verifier = createVerifier({ scheme: "inngest", signingKey: "signkey-test-12345678" });
 * const refused = await verifier.verify({ headers: {}, body: new Uint8Array() }).catch((error) => error);
 * console.log(refused instanceof SignatureError && refused.code); // "MISSING"
 * ```
 */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
  readonly code: SignatureErrorCode;

  constructor(code: SignatureErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
