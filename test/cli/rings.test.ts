import { mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { key, kid } from "../keyring/roots.ts";
import { envOf, type Ran, run, sealed, sealedText, useCli } from "./support.ts";

const { folder, file } = useCli();
const both = { STEPSEAL_KEY: key("new"), STEPSEAL_KEY_FALLBACK: key("old") };
const ringFile = (name: string, keys: readonly object[]): string => file(name, JSON.stringify({ keys }));
const oldAndNew = [
  { key: key("new"), state: "primary" },
  { key: key("old"), state: "decrypt-only" },
];

describe("rotate", () => {
  test("adds a standby, promotes it, and keeps the old key", async () => {
    const first = await run(["rotate", "--standby"], { env: envOf("old") });
    const env = Object.fromEntries(
      first.stdout
        .trim()
        .split("\n")
        .map((line) => line.split("=") as [string, string]),
    );
    expect(env.STEPSEAL_KEY).toBe(key("old"));
    expect(env.STEPSEAL_KEY_FALLBACK).toMatch(/^ssk1_\w{49}:standby$/);
    const second = await run(["rotate"], { env });
    const standby = env.STEPSEAL_KEY_FALLBACK!.split(":")[0];
    expect(second).toMatchObject({
      code: 0,
      stdout: `STEPSEAL_KEY=${standby}\nSTEPSEAL_KEY_FALLBACK=${key("old")}\n`,
    });
    expect(second.stderr).not.toContain("ssk1_");
  });

  test("replaces a keyring file and keeps its mode", async () => {
    const path = ringFile("ring.json", [{ key: key("old"), state: "primary" }]);
    const { code, stdout } = await run(["rotate", "--now", "-k", path]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    const { keys } = JSON.parse(readFileSync(path, "utf8"));
    expect(keys).toMatchObject([{ state: "primary" }, { key: key("old"), state: "decrypt-only" }]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("makes no key that seals before others have it, unless it is told to", async () => {
    const path = ringFile("alone.json", [{ key: key("old"), state: "primary" }]);
    const before = readFileSync(path, "utf8");
    const alone = await run(["rotate", "-k", path]);
    expect(alone).toMatchObject({ code: 2, stdout: "" });
    expect(alone.stderr).toContain("No key is on standby. Make one with --standby");
    expect(readFileSync(path, "utf8")).toBe(before);
    const now = await run(["rotate", "--now"], { env: envOf("old") });
    expect(now.stdout).toMatch(
      new RegExp(`^STEPSEAL_KEY=ssk1_\\w{49}\nSTEPSEAL_KEY_FALLBACK=${key("old")}\n$`),
    );
    expect(now.stderr).toContain("seals at once");
  });

  test("--now is not for a ring with a standby, nor for making one", async () => {
    const env = { STEPSEAL_KEY: key("old"), STEPSEAL_KEY_FALLBACK: `${key("new")}:standby` };
    const beside = await run(["rotate", "--now"], { env });
    expect(beside).toMatchObject({ code: 2, stdout: "" });
    expect(beside.stderr).toContain(`Key ${kid("new")} is on standby`);
    expect(await run(["rotate", "--now", "--standby"], { env })).toMatchObject({ code: 2, stdout: "" });
  });

  test("with --json it prints the next variables of the environment, or the states in the file", async () => {
    const first = await run(["rotate", "--standby", "--json"], { env: envOf("old") });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const { env, ...made } = JSON.parse(first.stdout);
    expect(made).toEqual({
      kid: made.kid,
      state: "standby",
      keys: [
        { kid: kid("old"), state: "primary" },
        { kid: made.kid, state: "standby" },
      ],
    });
    const second = JSON.parse((await run(["rotate", "--json"], { env })).stdout);
    expect(second).toMatchObject({
      kid: made.kid,
      state: "primary",
      env: { STEPSEAL_KEY_FALLBACK: key("old") },
    });

    const path = ringFile("json.json", [{ key: key("old"), state: "primary" }]);
    const { stdout, stderr } = await run(["rotate", "--now", "--json", "-k", path]);
    const { kid: next, ...rest } = JSON.parse(stdout);
    const states = [
      { kid: next, state: "primary" },
      { kid: kid("old"), state: "decrypt-only" },
    ];
    expect(rest).toEqual({ state: "primary", keys: states, file: path });
    expect(stdout + stderr).not.toContain("ssk1_");
  });
});

describe("retire", () => {
  const report = (uses: object = {}): string =>
    file(
      "report.json",
      JSON.stringify([{ kid: kid("old"), state: "decrypt-only", seals: 0, opens: 0, ...uses }]),
    );
  const retire = (paths: readonly string[], ...args: readonly string[]): Promise<Ran> =>
    run(["retire", kid("old"), ...paths, "--report", report(), ...args], { env: both });

  test("disables, and destroys, a key that neither data nor reports need", async () => {
    const path = ringFile("retire.json", oldAndNew);
    const data = file("rewrapped.json", JSON.stringify(sealed(1, "new")));
    const args = ["retire", kid("old"), data, "-k", path, "--report", report()];
    expect((await run(args)).code).toBe(0);
    expect(JSON.parse(readFileSync(path, "utf8")).keys[1]).toEqual({ key: key("old"), state: "disabled" });
    expect((await run([...args, "--destroy"])).code).toBe(0);
    const text = readFileSync(path, "utf8");
    expect(JSON.parse(text).keys[1]).toEqual({
      kid: kid("old"),
      state: "destroyed",
      destroyedAt: new Date().toISOString().slice(0, 10),
    });
    expect(text).not.toContain(key("old"));
  });

  test("refuses while data needs the key, a report says that it is used, or a report is missing", async () => {
    const data = file("needs.json", JSON.stringify(sealed(1)));
    const clean = file("clean.json", "{}");
    const inUse = await retire([data]);
    expect(inUse).toMatchObject({ code: 1, stdout: "" });
    expect(inUse.stderr).toContain("1 envelope in 1 file need");
    const opens = { opens: 3, lastOpenedAt: "2026-01-02T00:00:00.000Z" };
    const inBase64 = await retire([file("base64.txt", Buffer.from(sealedText(1)).toString("base64"))]);
    expect(inBase64).toMatchObject({ code: 1, stdout: "" });
    expect(inBase64.stderr).toContain("but for 1 in base64: end what they belong to");
    const used = await run(["retire", kid("old"), clean, "--report", report(opens)], { env: both });
    expect(used).toMatchObject({ code: 1, stdout: "" });
    expect(used.stderr).toContain("3 opens");
    const later = ["--since", "2026-02-01"];
    expect(
      (await run(["retire", kid("old"), clean, "--report", report(opens), ...later], { env: both })).code,
    ).toBe(0);
    expect(await run(["retire", kid("old"), clean], { env: both })).toMatchObject({ code: 2, stdout: "" });
    const primary = await run(["retire", kid("new"), clean, "--report", report()], { env: both });
    expect(primary).toMatchObject({ code: 2, stdout: "" });
  });

  test("refuses while something could not be searched: what is compressed, a link in a folder, what is missing", async () => {
    mkdirSync(join(folder(), "backup"), { recursive: true });
    const target = file("outside.json", "{}");
    symlinkSync(target, join(folder(), "backup", "link"));
    const cases = [
      [file("old.json.gz", gzipSync("{}")), "it is compressed (gzip)"],
      [join(folder(), "backup"), "a symbolic link, not followed. Name where it leads."],
      [join(folder(), "missing"), "there is no such file"],
    ] as const;
    for (const [path, message] of cases) {
      const { code, stdout, stderr } = await retire([file("clean.json", "{}"), path]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(message);
      expect(stderr).toContain(`Key ${kid("old")} stays as it is.`);
    }
    // A link that is named is followed, to what needs the key here.
    file("outside.json", sealedText(1));
    expect(await retire([join(folder(), "backup", "link")])).toMatchObject({ code: 1, stdout: "" });
  });

  test("values under a passphrase of Inngest's middleware need no key of a ring, and are told of", async () => {
    const official = { __ENCRYPTED__: true, __STRATEGY__: "inngest/libsodium", data: "AAAA", k: kid("pass") };
    const data = file("official.json", JSON.stringify([official, official, sealed(1, "new")]));
    const { code, stdout, stderr } = await retire([data]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${key("old")}:disabled`);
    expect(stderr).toContain("2 envelopes of inngest/libsodium: sealed under a passphrase");
    const passphrase = await run(["retire", kid("pass"), data, "--report", report()], { env: both });
    expect(passphrase).toMatchObject({ code: 2, stdout: "" });
    expect(passphrase.stderr).toContain("docs/migrating.md");
  });

  test("a value of a newer version may need the key", async () => {
    const newer = { __ENCRYPTED__: true, __STRATEGY__: "stepseal/v2", data: "ss2.x" };
    const { code, stdout, stderr } = await retire([file("newer.json", JSON.stringify(newer))]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("1 envelope of stepseal/v2. They are of another version");
  });

  test("with --json it prints what needs the key, or the next ring", async () => {
    const needed = await retire([file("needs.json", sealedText(1)), join(folder(), "missing")], "--json");
    expect(needed).toMatchObject({ code: 2, stderr: "" });
    expect(JSON.parse(needed.stdout)).toEqual({
      retired: false,
      kid: kid("old"),
      needs: [expect.stringContaining("1 envelope in 1 file need")],
      problems: [expect.stringContaining("there is no such file")],
      notes: [],
    });
    const retired = await retire([file("clean.json", "{}")], "--json", "--destroy");
    expect(retired).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(retired.stdout)).toEqual({
      retired: true,
      kid: kid("old"),
      needs: [],
      problems: [],
      notes: [],
      keys: [
        { kid: kid("new"), state: "primary" },
        { kid: kid("old"), state: "destroyed" },
      ],
      env: { STEPSEAL_KEY: key("new"), STEPSEAL_KEY_FALLBACK: `${kid("old")}:destroyed` },
    });
  });
});
