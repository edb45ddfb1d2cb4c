import { execFile } from "node:child_process";
import { chmodSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { blocksOf, DOCUMENTS, read } from "../docs/markdown.ts";
import { commandsOf } from "../docs/sets.ts";
import { key, kid } from "../keyring/roots.ts";
import { cli, sealed, sealedText, useCli } from "./support.ts";

const { folder, file } = useCli();
const DOCUMENT = "docs/cli.md";

/** Each `$ command` of the document with what it prints after that. */
const examples = blocksOf(DOCUMENT)
  .filter(({ language }) => language === "console")
  .flatMap(({ code }) =>
    code
      .split(/^\$ /m)
      .filter((part) => part !== "")
      .map((part) => ({ command: part.split("\n")[0]!, output: part.slice(part.indexOf("\n") + 1) })),
  );

/** Lines of other documents, each for itself. */
const lines = DOCUMENTS.flatMap((path) => blocksOf(path))
  .filter(({ language }) => language === "sh")
  .flatMap(({ at, code }) => commandsOf(code).map((command) => ({ at, command })))
  .filter(({ command }) => command.startsWith("npx stepseal "));

/** Keys, kids and dates differ each time. */
const plain = (output: string): string =>
  output
    .replaceAll(/ssk1_\w+…?/g, "ssk1_…")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "<kid>")
    .replaceAll(/\d{4}-\d\d-\d\d/g, "<date>");

function runInShell(command: string, fallback: string = key("old")): Promise<string> {
  return new Promise((resolve) => {
    const env = {
      PATH: `${folder()}:${process.env.PATH}`,
      STEPSEAL_KEY: key("new"),
      STEPSEAL_KEY_FALLBACK: fallback,
    };
    execFile("sh", ["-c", `${command} 2>&1`], { cwd: folder(), env }, (_error, stdout) => resolve(stdout));
  });
}

beforeEach(() => {
  chmodSync(file("npx", `#!/bin/sh\nshift\nexec "${process.execPath}" "${cli}" "$@"\n`), 0o755);
});

describe(DOCUMENT, () => {
  test("its examples print what it says, one after the other", async () => {
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
    for (const name of commands) expect(read(DOCUMENT)).toContain(`## ${name}`);
  });
});

test.each(lines)("in a shell, $command is done ($at)", async ({ command }) => {
  // As after `rotate --standby`, which the documents have before `rotate`.
  const fallback = `${key("old")},${key("next")}:standby`;
  expect(await runInShell(`${command} && echo done`, fallback)).toMatch(/done\n$/);
});
