import { execFile } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { key, kid } from "../keyring/roots.ts";
import { cli, sealed, sealedText, useCli } from "./support.ts";

const { folder, file } = useCli();
const text = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** Each `$ command` of the document with what it prints after that. */
const examples = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
  block
    .split(/^\$ /m)
    .filter((part) => part !== "")
    .map((part) => ({ command: part.split("\n")[0]!, output: part.slice(part.indexOf("\n") + 1) })),
);

/** Keys, kids and dates differ each time. */
const plain = (output: string): string =>
  output
    .replaceAll(/ssk1_\w+…?/g, "ssk1_…")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "<kid>")
    .replaceAll(/\d{4}-\d\d-\d\d/g, "<date>");

function runInShell(command: string): Promise<string> {
  return new Promise((resolve) => {
    const env = {
      PATH: `${folder()}:${process.env.PATH}`,
      STEPSEAL_KEY: key("new"),
      STEPSEAL_KEY_FALLBACK: key("old"),
    };
    execFile("sh", ["-c", `${command} 2>&1`], { cwd: folder(), env }, (_error, stdout) => resolve(stdout));
  });
}

describe("docs/cli.md", () => {
  test("its examples print what it says, one after the other", async () => {
    chmodSync(file("npx", `#!/bin/sh\nshift\nexec "${process.execPath}" "${cli}" "$@"\n`), 0o755);
    const event = {
      id: "e1",
      data: { order: 1, encrypted: sealed({ card: "4111" }, "old", { run: "01J0RUN" }) },
    };
    file("events.jsonl", `${JSON.stringify(event)}\n`);
    file("dump.sql", `INSERT INTO t VALUES ('${sealedText("x", "new")}');\n`);
    expect(examples.length).toBeGreaterThan(8);
    for (const { command, output } of examples) {
      const ran = await runInShell(command.replaceAll("0123456789abcdef", kid("old")));
      expect(`$ ${command}\n${plain(ran)}`).toBe(`$ ${command}\n${plain(output)}`);
    }
  });

  test("names every command", () => {
    const commands = ["keygen", "check", "inspect", "decrypt", "scan", "rotate", "retire", "rewrap"];
    for (const name of commands) expect(text).toContain(`## ${name}`);
  });
});
