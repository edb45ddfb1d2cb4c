import { StepsealError } from "../errors.ts";
import { isBytes } from "../internal/bytes.ts";

/**
 * Reads the body of a request, and stops as soon as it is longer than it may be: at the announced length, where there
 * is one, before anything is read.
 *
 * @param limit bytes
 * @returns the bytes, or undefined where there are more, the rest of which is left unread
 * @throws {StepsealError} CONFIG for a stream of text: it was decoded, and has no length in bytes
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > limit) return undefined;
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatenate(chunks, size);
    if (!isBytes(value))
      throw new StepsealError("CONFIG", "The body is a stream of something else than bytes.");
    size += value.byteLength;
    if (size > limit) {
      // Not awaited: a source may take its time to notice, and the answer should not.
      reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
