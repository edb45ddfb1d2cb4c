import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { key } from "../keyring/roots.ts";
import { envOf, run, runInShell, sealed, sealedText, useCli } from "./support.ts";

const { folder, file } = useCli();
const env = envOf("old");

/** One clear line: no stack trace, and no piece of a key. */
function expectLine(stderr: string, text: string): void {
  expect(stderr).toContain(text);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toMatch(/ssk1_\w/);
}

describe("bad data", () => {
  test("an envelope that does not open stays as it is, and the others open", async () => {
    const input = `${sealedText(1)} ${sealedText(2, "other")} ${sealedText(3)}`;
    const { stdout } = await run(["decrypt"], { env, input });
    expect(stdout).toMatch(/^1 ss1\.\S+ 3$/);
  });

  test("a line of 30 MB is no problem", async () => {
    const filler = "x".repeat(15_000_000);
    const input = JSON.stringify([filler, sealed("v"), filler]);
    const { code, stdout } = await run(["decrypt"], { env, input });
    expect(code).toBe(0);
    expect(stdout === JSON.stringify([filler, "v", filler])).toBe(true);
  });

  test("missing files and folders are told before anything is written", async () => {
    const good = file("good", sealedText(1));
    for (const [bad, message] of [
      [join(folder(), "missing"), "there is no such file"],
      [folder(), "it is a folder"],
    ]) {
      const { code, stdout, stderr } = await run(["decrypt", good, bad!], { env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expectLine(stderr, message!);
    }
  });

  test.skipIf(process.platform === "win32")("a named pipe is read once", async () => {
    const pipe = join(folder(), "pipe");
    const writer = spawn("sh", ["-c", 'mkfifo "$0" && printf %s "$1" > "$0"', pipe, sealedText("piped")]);
    while (!existsSync(pipe)) await new Promise((resolve) => setTimeout(resolve, 10));
    const { code, stdout } = await run(["decrypt", pipe], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"piped"' });
    writer.kill();
  });

  test("nothing is left of a rewrap that fails", async () => {
    const content = `${sealedText(1, "other")}\u0000`;
    const data = file("fails", content);
    expect((await run(["rewrap", data], { env })).code).toBe(2);
    expect(readFileSync(data, "utf8")).toBe(content);
    expect(readdirSync(folder()).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("bad keyring files", () => {
  const entry = JSON.stringify({ key: key("old"), state: "primary" });
  const cases = [
    ["an unknown member", `{"keys":[${entry}],"kyes":[]}`, "unknown option kyes"],
    [
      "an unknown member of a key",
      `{"keys":[{"key":"${key("old")}","state":"primary","note":"x"}]}`,
      "unknown option note",
    ],
    ["a member twice", `{"keys":[],\n"keys":[${entry}]}`, "line 2 names a member"],
    ["a key twice", `{"keys":[${entry},${entry}]}`, "the same key as"],
    ["cut short", `{"keys":[${entry}`, "is not JSON"],
    ["no key", '{"keys":[]}', "no key of 0"],
  ] as const;

  test.each(cases)("%s: check, decrypt and rotate refuse it and it stays", async (_, content, message) => {
    const path = file("ring.json", content);
    for (const command of ["check", "decrypt", "rotate"]) {
      const { code, stdout, stderr } = await run([command, "-k", path], { input: "x" });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expectLine(stderr, message);
    }
    expect(readFileSync(path, "utf8")).toBe(content);
  });
});

describe("usage", () => {
  test.each([[["frobnicate"]], [["scan", "--frobnicate"]], [["retire"]], [["decrypt", "--run-key-stdin"]]])(
    "%s: exit code 2, and a line on standard error",
    async (args) => {
      const { code, stdout, stderr } = await run(args, { env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^stepseal: /);
    },
  );

  test("a key among the arguments is refused and not repeated", async () => {
    const { code, stderr } = await run(["decrypt", `--key=${key("old")}`]);
    expect(code).toBe(2);
    expectLine(stderr, "A key is among the arguments");
  });

  test("every command has help, on standard output", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name!);
    expect(commands).toEqual(["keygen", "check", "inspect", "decrypt", "scan", "rotate", "retire", "rewrap"]);
    for (const name of commands) expect((await run([name, "--help"])).stdout).toContain(`stepseal ${name}`);
  });

  test("a reader that stops early ends the command quietly", async () => {
    const data = file("long", `${sealedText("v".repeat(50))}\n`.repeat(20_000));
    const { stderr } = await runInShell(`stepseal decrypt "${data}" | head -n 1`, { env });
    expect(stderr).toBe("");
  });
});
