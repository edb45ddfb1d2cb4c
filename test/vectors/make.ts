import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { key, kid } from "../keyring/roots.ts";
import { ACCEPTED, type AcceptedCase, plainBytes } from "./accepted-cases.ts";
import { body, claimBytes, deflated, envelope, nonceOf, padded, rootHex, runKeyText } from "./reference.ts";
import { EXPECTED, REJECTED } from "./rejected-cases.ts";

// Writes the vectors of envelope v1. They are frozen: what is there already is never overwritten. A change of what
// they say is a change of the format, and that is v2, in a folder of its own.

/** Longer ones are given as a digest. */
const LONGEST_SHOWN = 64 * 1024;

const keys = Object.fromEntries(
  ["vector A", "vector B"].map((name) => [
    name.slice(-1),
    { root: rootHex(name), text: key(name), kid: kid(name) },
  ]),
);

function accepted({ name, claims, value, deflate, pad }: AcceptedCase): unknown {
  const { bytes, raw } = plainBytes(value);
  const shrunk = deflate ? deflated(bytes) : bytes;
  const content = pad ? padded(shrunk) : shrunk;
  const flags = (deflate ? 1 : 0) | (pad ? 2 : 0) | (raw ? 4 : 0);
  const nonce = nonceOf(name);
  const sealed = envelope(
    kid("vector A"),
    body({ key: "vector A", run: claims.run, flags, claims: claimBytes(claims), nonce, content }),
  );
  const shown =
    sealed.data.length <= LONGEST_SHOWN
      ? { content: content.toString("hex"), envelope: sealed }
      : { contentSha256: sha256(content), dataSha256: sha256(sealed.data) };
  return { name, key: "A", claims, value, flags, nonce: nonce.toString("hex"), ...shown };
}

function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function write(file: string, content: unknown): void {
  const url = new URL(`v1/${file}`, import.meta.url);
  if (existsSync(url)) {
    console.error(
      `v1/${file} exists. Vectors are frozen: a change of the format is a version 2, with its own files.`,
    );
    process.exitCode = 1;
    return;
  }
  writeFileSync(url, `${JSON.stringify(content, null, 2)}\n`);
  console.log(`wrote ${file}`);
}

write("accepted.json", { format: "stepseal/v1", keys, vectors: ACCEPTED.map(accepted) });
write("rejected.json", { format: "stepseal/v1", keys, expected: EXPECTED, vectors: REJECTED });
write("run-keys.json", {
  format: "stepseal/v1",
  keys,
  vectors: ["01KB2M5Z3V7Q8R9S0T1W2X3Y4Z", "a", "läuft-✓", "with space/and:colon", "r".repeat(300)].flatMap(
    (run) => ["A", "B"].map((name) => ({ key: name, run, ...derived(`vector ${name}`, run) })),
  ),
});

function derived(name: string, run: string): { runKey: string; text: string } {
  const { key: runKey, text } = runKeyText(name, run);
  return { runKey, text };
}
