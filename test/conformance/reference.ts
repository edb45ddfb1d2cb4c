// Web Crypto, which every runtime has, does what stepseal does with @noble: a second opinion that is not its own.

const subtle = crypto.subtle;

export const utf8 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new TextEncoder().encode(text));

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
  );
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

export function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await subtle.digest("SHA-256", Uint8Array.from(bytes))));
}

export async function hmacSha256(secret: Uint8Array, ...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await subtle.importKey("raw", Uint8Array.from(secret), algorithm, false, ["sign"]);
  const message = Uint8Array.from(parts.flatMap((part) => [...part]));
  return new Uint8Array(await subtle.sign("HMAC", key, message));
}

/** `HKDF(SHA-256, root, "stepseal/v1/extract", label, length)`, from which docs/envelope-v1.md derives everything. */
export async function derive(root: Uint8Array, label: string, length: number): Promise<Uint8Array> {
  const key = await subtle.importKey("raw", Uint8Array.from(root), "HKDF", false, ["deriveBits"]);
  const salt = utf8("stepseal/v1/extract");
  const bits = await subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt, info: utf8(label) },
    key,
    length * 8,
  );
  return new Uint8Array(bits);
}

/** A text with its length before it (u32, big-endian). */
export function lengthPrefixed(text: string): Uint8Array {
  const bytes = utf8(text);
  const { length } = bytes;
  return Uint8Array.of(length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255, ...bytes);
}
