import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeUtf8 } from "../../internal/utf8.ts";
import type { Fields } from "./fields.ts";

/** What logs and dead letters show of something that `Upstash-Redact-Fields` names. */
export interface Redaction {
  body(text: string): string;
  headers(headers: Readonly<Record<string, string[]>>): Record<string, string[]>;
}

const hidden = (text: string): string => `REDACTED:${bytesToHex(sha256(encodeUtf8(text)))}`;

/** Reads `body, header, header[Name]` (docs/workflow/howto/redact-fields). Deliveries are not affected. */
export function redactionOf(fields: Fields): Redaction {
  const parts = (fields["upstash-redact-fields"] ?? "").split(",").map((part) => part.trim().toLowerCase());
  const hides = (name: string): boolean =>
    parts.some(
      (part) => /^headers?$/.test(part) || part.replace("headers[", "header[") === `header[${name}]`,
    );
  return {
    body: (text) => (parts.includes("body") ? hidden(text) : text),
    headers: (headers) =>
      Object.fromEntries(
        Object.entries(headers).map(([name, values]) => [
          name,
          hides(name.toLowerCase()) ? values.map(hidden) : values,
        ]),
      ),
  };
}
