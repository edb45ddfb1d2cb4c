import { truncateSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createKeyring } from "../../src/keyring/keyring.ts";
import { key, kid } from "../keyring/roots.ts";
import { hasTerminal, onTerminal } from "./on-terminal.ts";
import { envOf, run, runInShell, sealed, sealedText, useCli } from "./support.ts";

const { file } = useCli();
const env = envOf("old");

describe.skipIf(!hasTerminal)("on a terminal", () => {
  test("results and problems have colours, and none with NO_COLOR or a dumb terminal", async () => {
    const green = "\u001b[32mprimary";
    expect((await onTerminal(["check"], env)).shown).toContain(green);
    const refused = await onTerminal(["scan", "/nowhere"]);
    expect(refused.code).toBe(2);
    expect(refused.shown).toContain("\u001b[31mstepseal:");
    expect((await onTerminal(["check"], { ...env, NO_COLOR: "" })).shown).toContain(green);
    for (const plain of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      const { code, shown } = await onTerminal(["check"], { ...env, ...plain });
      expect({ code, shown }).toEqual({
        code: 0,
        shown: `${kid("old")}  primary\r\n1 key from STEPSEAL_KEY\r\n`,
      });
    }
  });

  test("plaintext is shown with --yes alone", async () => {
    const data = file("secret", sealedText("opened"));
    const refused = await onTerminal(["decrypt", data], env);
    expect(refused.code).toBe(2);
    expect(refused.shown).toContain("would show plaintext");
    expect(refused.shown).not.toContain("opened");
    const shown = await onTerminal(["decrypt", "--yes", data], env);
    expect(shown).toEqual({ code: 0, shown: '"opened"' });
  });

  test("nothing is waited for where nothing is piped in", async () => {
    const { code, shown } = await onTerminal(["scan"]);
    expect(code).toBe(2);
    expect(shown).toContain("There is nothing to read.");
  });

  test("a run key is asked for, and what is typed is not shown", async () => {
    const runKey = createKeyring({ key: key("old") }).runKey("run-1");
    const data = file("run.json", JSON.stringify(sealed("opened", "old", { run: "run-1" })));
    const typed = [{ prompt: "Run key: ", answer: `${runKey}\r` }];
    const { code, shown } = await onTerminal(["decrypt", "--yes", "--run-key", data], {}, typed);
    expect(code).toBe(0);
    expect(shown).toContain('"opened"');
    for (let at = 0; at + 8 <= runKey.length; at++) expect(shown).not.toContain(runKey.slice(at, at + 8));
    const stopped = [{ prompt: "Run key: ", answer: "\u0003" }];
    const none = await onTerminal(["decrypt", "--yes", "--run-key", data], {}, stopped);
    expect(none.code).toBe(2);
    expect(none.shown).toContain("--run-key: no key was given.");
    const wrong = [{ prompt: "Run key: ", answer: `${runKey.slice(0, -1)}\r` }];
    const refused = await onTerminal(["decrypt", "--yes", "--run-key", data], {}, wrong);
    expect(refused.code).toBe(2);
    expect(refused.shown).not.toContain(runKey.slice(-20, -1));
  });

  test("a search shows how far it is, and leaves its result alone", async () => {
    const data = file("data.json", sealedText(1));
    const { code, shown } = await onTerminal(["scan", data], { NO_COLOR: "1" });
    expect(code).toBe(0);
    expect(shown).toMatch(/=+ 100% \d+ B of \d+ B, /);
    // The line of the bar is empty again.
    expect(shown.split("\u001b[2K").at(-1)).toMatch(new RegExp(`^${kid("old")} {2}1 envelope in 1 file\r\n`));
  });

  test("a search that is stopped gives the cursor back", async () => {
    const data = file("endless.json", "");
    truncateSync(data, 2 ** 36);
    const { code, shown } = await onTerminal(["scan", data], {}, [{ prompt: "0%", answer: "\u0003" }]);
    expect(code).toBe(130);
    expect(shown.lastIndexOf("\u001b[?25h")).toBeGreaterThan(shown.lastIndexOf("\u001b[?25l"));
  });
});

test("without a terminal there is no colour, no bar and no question", async () => {
  const data = file("data.json", sealedText(1));
  const wanted = { FORCE_COLOR: "1", TERM: "xterm", ...env };
  for (const args of [["scan", data], ["check"], ["inspect", data], ["scan", "/nowhere"], ["--help"]]) {
    const { stdout, stderr } = await run(args, { env: wanted });
    expect(stdout + stderr).not.toContain("\u001b");
    expect(stdout + stderr).not.toMatch(/\d+%/);
  }
});

test.skipIf(process.platform === "win32")(
  "a run key cannot be asked for where there is no terminal",
  async () => {
    const data = file("data.json", sealedText(1));
    // A session of its own has no terminal, whatever the tests run on.
    const { code, stderr } = await runInShell(
      `"$NODE" -e 'require("child_process").spawn(process.argv[1], process.argv.slice(2), { detached: true, stdio: "inherit" }).on("close", (code) => { process.exitCode = code; })' -- "$NODE" "$CLI" decrypt --run-key "${data}"`,
    );
    expect(code).toBe(2);
    expect(stderr).toContain("there is no terminal to ask on. Use --run-key-file or --run-key-stdin.");
  },
);
