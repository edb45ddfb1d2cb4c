import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { key, kid } from "../keyring/roots.ts";
import { run, sealed, sealedText, useCli } from "./support.ts";

const { file } = useCli();
const env = { STEPSEAL_KEY: key("new"), STEPSEAL_KEY_FALLBACK: key("old") };
const SECRET = "what-the-user-wrote";

/** Exit code, and a piece of what is said. */
type Outcome = readonly [code: number, says: string];

interface Row {
  readonly name: string;
  readonly content: string | Buffer;
  readonly decrypt: Outcome;
  readonly inspect: Outcome;
  readonly scan: Outcome;
  readonly rewrap: Outcome;
  /** Of the old key. */
  readonly retire: Outcome;
}

const text = sealedText(SECRET.repeat(9));
const needed = [1, "1 envelope in 1 file need the key"] as const;
const counted = [0, `${kid("old")}  1 envelope in 1 file`] as const;
const shown = [0, `${kid("old")}  `] as const;
const unfound = {
  decrypt: [1, "There are no envelopes"],
  inspect: [1, "There are no envelopes"],
  scan: [0, "0 envelopes in 1 file"],
  rewrap: [0, "nothing to rewrap"],
  retire: [0, "is disabled"],
} as const;
const refused = (says: string): Omit<Row, "name" | "content"> => {
  const outcome = [2, says] as const;
  return { decrypt: outcome, inspect: outcome, scan: outcome, rewrap: outcome, retire: outcome };
};
const otherFormat = [1, "1 envelope of stepseal/v2. They are of another version"] as const;

const rows: readonly Row[] = [
  {
    name: "truncated",
    // Four digits of base64url are three bytes, and no stray bits.
    content: JSON.stringify({ a: text.slice(0, 21 + 80) }),
    decrypt: [1, "line 1: CORRUPT"],
    inspect: shown,
    scan: counted,
    rewrap: [1, "line 1: CORRUPT"],
    retire: needed,
  },
  {
    name: "cut in its header",
    content: text.slice(0, 30),
    decrypt: [1, "line 1: FORMAT"],
    inspect: [1, "line 1: FORMAT"],
    scan: counted,
    rewrap: [1, "line 1: FORMAT"],
    retire: needed,
  },
  {
    name: "altered",
    content: JSON.stringify(sealed(SECRET)).replace(/.(.{9})"\}$/, (all, end) =>
      all.startsWith("A") ? `B${end}"}` : `A${end}"}`,
    ),
    decrypt: [1, "line 1: CORRUPT"],
    inspect: shown,
    scan: counted,
    rewrap: [1, "line 1: CORRUPT"],
    retire: needed,
  },
  {
    name: "of another suite",
    content: text.replace(/(?<=^ss1\..{17})A/, "B"),
    decrypt: [1, "line 1: UNSUPPORTED"],
    inspect: [1, "line 1: UNSUPPORTED"],
    scan: counted,
    rewrap: [1, "line 1: UNSUPPORTED"],
    retire: needed,
  },
  {
    name: "of another version",
    content: JSON.stringify({ __ENCRYPTED__: true, __STRATEGY__: "stepseal/v2", data: "ss2.x" }),
    decrypt: otherFormat,
    inspect: otherFormat,
    scan: otherFormat,
    rewrap: otherFormat,
    retire: otherFormat,
  },
  {
    name: "under an unknown key",
    content: `\n${sealedText(SECRET, "other")}`,
    decrypt: [1, "line 2: UNKNOWN_KEY"],
    inspect: [0, `${kid("other")}  `],
    scan: [0, `${kid("other")}  1 envelope`],
    rewrap: [1, "line 2: UNKNOWN_KEY"],
    retire: [0, "is disabled"],
  },
  {
    name: "binary",
    content: Buffer.concat([Buffer.from(text), Buffer.from(Array.from({ length: 999 }, (_, i) => i % 256))]),
    decrypt: [2, "binary data"],
    inspect: [2, "binary data"],
    scan: counted,
    rewrap: [2, "binary data"],
    retire: needed,
  },
  { name: "gzip", content: gzipSync(text), ...refused("it is compressed (gzip)") },
  { name: "UTF-16", content: Buffer.from(`\uFEFF${text}`, "utf16le"), ...refused("it is UTF-16") },
  { name: "empty", content: "", ...unfound },
  { name: "neither JSON nor an envelope", content: '{"a": ss1.nothing', ...unfound },
];

describe.each(rows)("data that is $name", ({ content, ...row }) => {
  test.each(["decrypt", "inspect", "scan", "rewrap", "retire"] as const)(
    "%s says so in a line, ends with its exit code, and changes and shows nothing",
    async (command) => {
      const path = file("bad", content);
      const report = JSON.stringify([{ kid: kid("old"), state: "decrypt-only", seals: 0, opens: 0 }]);
      const args = {
        retire: ["retire", kid("old"), path, "--report", file("report.json", report)],
        decrypt: ["decrypt", path],
        inspect: ["inspect", path],
        scan: ["scan", path],
        rewrap: ["rewrap", path],
      }[command];
      const [code, says] = row[command];
      const ran = await run(args, { env });
      const all = ran.stdout + ran.stderr;
      expect(all).toContain(says);
      expect(ran.code).toBe(code);
      expect(all).not.toMatch(/^\s+at /m);
      expect(all).not.toContain(SECRET);
      if (command !== "retire") expect(all).not.toContain("ssk1_");
      expect(readFileSync(path).equals(Buffer.from(content))).toBe(true);
      if (command === "decrypt" && code < 2) expect(ran.stdout).toBe(content);
    },
  );

  test.each(["decrypt", "inspect", "scan", "rewrap"] as const)(
    "%s takes it from a pipe alike",
    async (command) => {
      const [code] = row[command];
      const ran = await run([command], { env, input: content });
      expect(ran.code).toBe(code);
      expect(ran.stdout + ran.stderr).not.toContain(SECRET);
      if (command === "rewrap" && code < 2) expect(ran.stdout).toBe(content);
    },
  );
});
