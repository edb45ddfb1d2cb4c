import { mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createKeyring } from "../../src/keyring/keyring.ts";
import { key, kid } from "../keyring/roots.ts";
import { envOf, run, sealed, sealedText, useCli } from "./support.ts";

const { folder, file } = useCli();
const both = { STEPSEAL_KEY: key("new"), STEPSEAL_KEY_FALLBACK: key("old") };
const ringFile = (name: string, keys: readonly object[]): string => file(name, JSON.stringify({ keys }));

describe("keygen", () => {
  test("prints one line for an env file, and with --json the kid too", async () => {
    const plain = await run(["keygen"]);
    expect(plain).toMatchObject({ code: 0, stderr: "" });
    expect(plain.stdout).toMatch(/^STEPSEAL_KEY=ssk1_[0-9A-Za-z]{49}\n$/);
    const made = JSON.parse((await run(["keygen", "--json"])).stdout);
    expect(createKeyring({ key: made.key }).primary).toBe(made.kid);
  });
});

describe("check", () => {
  test("tells kids and states of the environment", async () => {
    const { code, stdout } = await run(["check"], { env: both });
    expect(code).toBe(0);
    expect(stdout).toBe(`${kid("new")}  primary\n${kid("old")}  decrypt-only\n2 keys from STEPSEAL_KEY\n`);
  });

  test("fails without keys, and says so in JSON too", async () => {
    expect(await run(["check"])).toMatchObject({ code: 2, stdout: "" });
    const { code, stdout } = await run(["check", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, keys: [] });
  });

  test("warns of a keyring file that others can read", async () => {
    const path = ringFile("open.json", [{ key: key("new"), state: "primary" }]);
    expect((await run(["check", "-k", path])).code).toBe(0);
    const { chmodSync } = await import("node:fs");
    chmodSync(path, 0o644);
    const { code, stderr } = await run(["check"], { env: { STEPSEAL_KEYRING_FILE: path } });
    expect(code).toBe(1);
    expect(stderr).toContain(`chmod 600 ${path}`);
  });
});

describe("inspect", () => {
  test("shows claims and sizes without a key, in JSON on request", async () => {
    const line = JSON.stringify({ id: 1, data: sealed("x", "old", { kind: "step.output", run: "01J0" }) });
    const plain = await run(["inspect"], { input: `no\n${line}\n` });
    expect(plain.code).toBe(0);
    expect(plain.stdout).toBe(`standard input:2  ${kid("old")}  3 B  kind=step.output  run=01J0\n`);
    const { stdout } = await run(["inspect", "--json"], { input: line });
    expect(JSON.parse(stdout)).toMatchObject({
      line: 1,
      kid: kid("old"),
      ciphertextBytes: 3,
      claims: { kind: "step.output", run: "01J0" },
    });
  });

  test("escapes what a terminal would obey", async () => {
    const line = JSON.stringify(sealed("x", "old", { kind: "step.output", run: "a\u001b[2Jb" }));
    expect((await run(["inspect"], { input: line })).stdout).toContain("run=a\\u001b[2Jb");
  });
});

describe("decrypt", () => {
  test("opens envelopes in every spelling and keeps the rest of each line", async () => {
    const envelope = sealed({ card: "4111", note: 'a"b' });
    const inString = JSON.stringify({ body: JSON.stringify({ v: envelope }) });
    const input = [
      `{"id":1e2,  "data":${JSON.stringify(envelope)} ,"x":"\\u00e9"}`,
      inString,
      `log: ${sealedText("x")} end`,
      "plain",
      "",
    ].join("\n");
    const { code, stdout, stderr } = await run(["decrypt"], { env: both, input });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toBe('{"id":1e2,  "data":{"card":"4111","note":"a\\"b"} ,"x":"\\u00e9"}');
    expect(JSON.parse(JSON.parse(lines[1]!).body)).toEqual({ v: { card: "4111", note: 'a"b' } });
    expect(lines.slice(2)).toEqual(['log: "x" end', "plain", ""]);
  });

  test("a value in strings in strings is escaped as often, four times at most", async () => {
    let [input, output] = [JSON.stringify([sealedText('a"')]), JSON.stringify(['a"'])];
    for (let escapes = 0; escapes <= 5; escapes++) {
      const { code, stdout, stderr } = await run(["decrypt"], { env: both, input });
      expect({ code, stdout }).toEqual(
        escapes <= 4 ? { code: 0, stdout: output } : { code: 1, stdout: input },
      );
      const told = "standard input, line 1: the envelope stands in 5 strings in strings.";
      expect(stderr.includes(told)).toBe(escapes > 4);
      [input, output] = [JSON.stringify([input]), JSON.stringify([output])];
    }
  });

  test("what cannot be told to read back stays as it is, with a line and their number", async () => {
    const [text, opened] = [sealedText("a"), '"a"'];
    const lines: readonly (readonly [line: string, expected: string])[] = [
      // Within a string of JSON, or of JSON in it.
      [`{"log":"got ${text} here"}`, `{"log":"got \\"a\\" here"}`],
      [
        JSON.stringify([JSON.stringify({ log: `got ${text}` })]),
        JSON.stringify([JSON.stringify({ log: 'got "a"' })]),
      ],
      [`  "got ${text} here",`, `  "got \\"a\\" here",`],
      [JSON.stringify([`5" ${text}`]), String.raw`["5\" \\\"a\\\""]`],
      // No string: a log, also after one.
      [`INFO got ${text} here`, `INFO got ${opened} here`],
      [`INFO "got" {"a":"b\\""} ${text}`, `INFO "got" {"a":"b\\""} ${opened}`],
      [`INFO {\\"a\\":\\"b\\"} ${text}`, `INFO {\\"a\\":\\"b\\"} ${opened}`],
      // A string, of which no line tells whether it is JSON, CSV or none.
      [`INFO {"log":"got ${text} here"}`, ""],
      [`1,"got ${text} here",2`, ""],
      [`,"got ${text} here"`, ""],
      [`"got ""it"" ${text} here",2`, ""],
      [`a 5" disk ${text}`, ""],
    ];
    const input = lines.map(([line]) => `${line}\n`).join("");
    const data = file("strings.txt", input);
    const { code, stdout, stderr } = await run(["decrypt", data], { env: both });
    expect(code).toBe(1);
    expect(stdout.split("\n").slice(0, -1)).toEqual(lines.map(([line, expected]) => expected || line));
    expect(stderr.match(/^stepseal: .*$/gm)).toEqual(
      [8, 9, 10, 11, 12].map((line) =>
        expect.stringContaining(`${data}, line ${line}: the envelope stands in`),
      ),
    );
    expect(stderr).toContain("\n5 of 12 envelopes not opened.\n");
  });

  test("takes run keys from a file and from standard input, and they open their run alone", async () => {
    const runKey = createKeyring({ key: key("old") }).runKey("run-1");
    const data = file(
      "runs.jsonl",
      `${JSON.stringify(sealed(1, "old", { run: "run-1" }))}\n${JSON.stringify(sealed(2, "old", { run: "run-2" }))}\n`,
    );
    for (const args of [["--run-key-file", file("run.key", `${runKey}\n`)], ["--run-key-stdin"]]) {
      const { code, stdout, stderr } = await run(["decrypt", ...args, data], { input: runKey });
      expect(code).toBe(1);
      expect(stdout.split("\n")[0]).toBe("1");
      expect(stdout.split("\n")[1]).toContain("ss1.");
      expect(stderr).toContain(`${data}, line 2: UNKNOWN_KEY`);
      expect(stderr).not.toContain(runKey.slice(-30));
    }
  });

  test("writes a file that is its owner's alone, and none where it fails", async () => {
    const output = join(folder(), "plain.json");
    expect((await run(["decrypt", "-o", output], { env: both, input: sealedText("secret") })).code).toBe(0);
    expect(readFileSync(output, "utf8")).toBe('"secret"');
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const none = join(folder(), "none.json");
    expect((await run(["decrypt", "-o", none, join(folder(), "missing")], { env: both })).code).toBe(2);
    expect(statSync(none, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe("rewrap", () => {
  test("warns of fields of events, which steps are bound to, and of nothing else", async () => {
    for (const [kind, warns] of [
      ["event.field", true],
      ["step.output", false],
    ] as const) {
      const data = file("kind.json", JSON.stringify(sealed(1, "old", { kind })));
      const { code, stderr } = await run(["rewrap", data], { env: both });
      expect(code).toBe(0);
      expect(stderr).toContain("1 envelope rewrapped");
      expect(stderr.includes("1 field of events among them")).toBe(warns);
    }
  });
});

describe("scan", () => {
  test("counts envelopes per kid in files, folders and standard input", async () => {
    const sub = join(folder(), "scanned", "sub");
    mkdirSync(sub, { recursive: true });
    file("scanned/a.json", JSON.stringify([sealed(1), sealed(2), sealed(3, "new")]));
    file("scanned/sub/b.sql", `INSERT '${sealedText(4)}'`);
    const { code, stdout } = await run(["scan", "--json", join(folder(), "scanned")]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      files: 2,
      envelopes: 4,
      kids: [
        { kid: kid("old"), envelopes: 3, files: 2 },
        { kid: kid("new"), envelopes: 1, files: 1 },
      ],
    });
    const piped = await run(["scan"], { input: sealedText(1) });
    expect(piped.stdout).toContain(`${kid("old")}  1 envelope in 1 file`);
  });

  test("counts those in base64 too, wherever in it they begin, and says how many", async () => {
    const texts = ["", "x", "{}", "[1,"].map((before) => Buffer.from(`${before}${sealedText(1)}"}`));
    const lines = texts.flatMap((text) => [text.toString("base64"), text.toString("base64url")]);
    const cut = ["s1.", "ss1.", "ss1.0123.", `${sealedText(1).slice(0, 20)}`].map((text) =>
      Buffer.from(text).toString("base64"),
    );
    // Across the borders of what is read at once, in any place of it.
    const body = Array.from({ length: 3 }, (_, i) => "-".repeat(2 ** 22 - 20 - 20 * i) + lines[0]).join("\n");
    const data = file("base64.txt", [...lines, ...cut, sealedText(2), body].join("\n"));
    const { code, stdout } = await run(["scan", data]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${kid("old")}  12 envelopes in 1 file, 11 of them in base64\n`);
    const { kids } = JSON.parse((await run(["scan", "--json", data])).stdout) as { kids: unknown };
    expect(kids).toEqual([{ kid: kid("old"), envelopes: 12, inBase64: 11, files: 1 }]);
  });

  test("tells what it did not search", async () => {
    mkdirSync(join(folder(), "linked"), { recursive: true });
    symlinkSync("/nowhere", join(folder(), "linked", "link"));
    const { code, stderr } = await run(["scan", join(folder(), "linked"), join(folder(), "missing")]);
    expect(code).toBe(2);
    expect(stderr).toContain("a symbolic link, not followed");
    expect(stderr).toContain("missing: there is no such file");
  });
});

describe("rewrap", () => {
  test("seals under the primary, keeps claims and all else, and does it once", async () => {
    const data = file(
      "wrap.jsonl",
      `{"a": ${JSON.stringify(sealed("v", "old", { run: "r" }))} }\nplain ${sealedText(2, "new")}\n`,
    );
    const first = await run(["rewrap", data], { env: both });
    expect(first).toMatchObject({ code: 0, stdout: "", stderr: `${data}: 1 envelope rewrapped\n` });
    const { ino } = statSync(data);
    const text = readFileSync(data, "utf8");
    expect(text).not.toContain(kid("old"));
    const { stdout } = await run(["inspect", "--json", data]);
    expect(JSON.parse(stdout.split("\n")[0]!)).toMatchObject({ kid: kid("new"), claims: { run: "r" } });
    expect((await run(["decrypt", data], { env: envOf("new") })).stdout).toBe('{"a": "v" }\nplain 2\n');
    expect((await run(["rewrap", data], { env: both })).stderr).toContain("nothing to rewrap");
    expect(statSync(data).ino).toBe(ino);
  });

  test("standard input is written to standard output, with nothing but its envelopes changed", async () => {
    const input = `{"a": ${JSON.stringify(sealed("v", "old", { run: "r" }))} }\nplain ${sealedText(2, "new")}\n"caf\u00e9"`;
    const { code, stdout, stderr } = await run(["rewrap"], { env: both, input });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "standard input: 1 envelope rewrapped\n" });
    const texts = /ss1\.[\w.-]+/g;
    expect(stdout.replaceAll(texts, "")).toBe(input.replaceAll(texts, ""));
    expect(stdout.match(texts)![1]).toBe(input.match(texts)![1]);
    expect(stdout).not.toContain(kid("old"));
    const opened = await run(["decrypt"], { env: envOf("new"), input: stdout });
    expect(opened.stdout).toBe('{"a": "v" }\nplain 2\n"caf\u00e9"');
  });
});
