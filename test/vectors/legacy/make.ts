import { createHash, createHmac, hkdfSync } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { AESEncryptionService } from "@inngest/middleware-encryption/strategies/aes";
import { LibSodiumEncryptionService } from "@inngest/middleware-encryption/strategies/libSodium";
import { blake2b } from "@noble/hashes/blake2.js";

// Writes the vectors of the official formats: values by the official package itself, and bindings made here, with
// Node's own hashes, by what docs/migrating.md says. What the official Python wrote is in python.json. Frozen: what is
// there is never overwritten.

const FILE = new URL("official.json", import.meta.url);

const PASSPHRASES = [
  "correct horse battery staple",
  "  white space around it\t",
  "ünïcode 🔑",
  "x".repeat(200),
] as const;

const VALUES: readonly unknown[] = [
  { card: "4111 1111 1111 1111", list: [1, 2.5, null, true], ünïcode: "🔒" },
  "text",
  0,
  false,
  null,
  "",
  { big: "y".repeat(2_000) },
];

/** Tag, length, value, as docs/envelope-v1.md has claims: kind, fn, run, step. */
const CLAIMS = Buffer.concat([
  Buffer.from([1, 0, 1, 4]),
  ...(
    [
      [3, "shop-order"],
      [4, "01RUN"],
      [5, "c0ffee"],
    ] as const
  ).map(([tag, text]) => Buffer.from([tag, 0, text.length, ...Buffer.from(text)])),
]);

function expand(key: Uint8Array, label: string, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "stepseal/v1/extract", label, length));
}

async function main(): Promise<void> {
  if (existsSync(FILE)) {
    console.error("official.json exists. Vectors are frozen: new ones belong in a file of their own.");
    process.exitCode = 1;
    return;
  }
  const libsodium = [];
  const cryptoJs = [];
  for (const passphrase of PASSPHRASES) {
    const service = new LibSodiumEncryptionService(passphrase);
    for (const value of VALUES) {
      const data = await service.encrypt(value);
      const key = blake2b(Buffer.from(passphrase.trim()), { dkLen: 32 });
      const kid = expand(key, "stepseal/v1/kid", 8).toString("hex");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(CLAIMS.length);
      const tag = createHmac("sha256", expand(key, "stepseal/v1/compat-mac", 32))
        .update("stepseal/v1/compat\0")
        .update(length)
        .update(CLAIMS)
        .update(createHash("sha256").update(Buffer.from(data, "base64")).digest())
        .digest("base64url");
      const binding = { k: kid, c: CLAIMS.toString("base64url"), t: tag };
      libsodium.push({ passphrase, key: Buffer.from(key).toString("hex"), value, data, binding });
      cryptoJs.push({ passphrase, value, data: new AESEncryptionService(passphrase).encrypt(value) });
    }
  }
  const claims = { kind: "step.output", fn: "shop-order", run: "01RUN", step: "c0ffee" };
  writeFileSync(FILE, `${JSON.stringify({ claims, libsodium, cryptoJs }, null, 2)}\n`);
}

await main();
