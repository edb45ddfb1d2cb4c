import { chmodSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { key, kid } from "../keyring/roots.ts";
import { run, runInShell, sealed, sealedText, useCli } from "./support.ts";

const { file } = useCli();
const entries = [
  { key: key("new"), state: "primary" },
  { key: key("old"), state: "decrypt-only" },
];
const ring = JSON.stringify({ keys: entries });
const report = JSON.stringify([{ kid: kid("old"), state: "decrypt-only", seals: 0, opens: 0 }]);

describe.skipIf(process.platform === "win32")("a keyring file that is a pipe", () => {
  const piped = (command: string): ReturnType<typeof runInShell> =>
    runInShell(`cat "${file("ring.json", ring)}" | ${command}`);

  test("is read once by check and decrypt, by option and by variable", async () => {
    const data = file("data", sealedText("opened"));
    expect(await piped("stepseal check -k /dev/stdin")).toMatchObject({ code: 0, stderr: "" });
    expect(await piped("STEPSEAL_KEYRING_FILE=/dev/stdin stepseal check")).toMatchObject({ code: 0 });
    const { code, stdout } = await piped(`stepseal decrypt -k /dev/stdin "${data}"`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"opened"' });
  });

  test("cannot be replaced, which rotate and retire say, and they show no key", async () => {
    const args = `"${file("data", "{}")}" --report "${file("report.json", report)}"`;
    for (const command of ["rotate --now", `retire ${kid("old")} ${args}`]) {
      const { code, stdout, stderr } = await piped(`stepseal ${command} -k /dev/stdin`);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("/dev/stdin: it is no regular file, so it is not replaced.");
      expect(stderr).not.toMatch(/ssk1_\w/);
    }
  });
});

describe.skipIf(process.platform === "win32")("a keyring file that others can read", () => {
  test("is warned of by every command that reads keys, and check takes it for a problem", async () => {
    const data = file("data.json", JSON.stringify(sealed(1, "new")));
    const commands: readonly (readonly [args: string[], code: number])[] = [
      [["check"], 1],
      [["decrypt", data], 0],
      [["rewrap", data], 0],
      [["retire", kid("old"), data, "--report", file("report.json", report)], 0],
      [["rotate", "--now"], 0],
    ];
    for (const [args, code] of commands) {
      for (const [mode, isTold] of [
        [0o600, false],
        [0o644, true],
        [0o620, true],
      ] as const) {
        const path = file("open.json", ring);
        chmodSync(path, mode);
        const ran = await run([...args, "-k", path]);
        expect(ran.code).toBe(isTold ? code : 0);
        expect(ran.stderr.includes(`chmod 600 ${path}`)).toBe(isTold);
      }
    }
  });

  test("so is a file of run keys", async () => {
    const path = file("run.key", "ssrk1_");
    chmodSync(path, 0o604);
    const { stderr } = await run(["decrypt", "--run-key-file", path, file("data", "x")]);
    expect(stderr).toContain(`(mode 604). Fix: chmod 600 ${path}`);
  });
});

test("check tells of a compromised key that opens all the same, and the ring works", async () => {
  const compromised = [entries[0], { key: key("old"), state: "compromised" }];
  const path = file(
    "compromised.json",
    JSON.stringify({ keys: compromised, dangerouslyOpenCompromised: [kid("old")] }),
  );
  const plain = await run(["check", "-k", path]);
  expect(plain.code).toBe(1);
  expect(plain.stderr).toContain(`Key ${kid("old")} is compromised and opens all the same`);
  const { code, stdout } = await run(["check", "--json", "-k", path]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    keys: [{ state: "primary" }, { kid: kid("old"), state: "compromised" }],
    problems: [expect.stringContaining("dangerouslyOpenCompromised")],
  });
  const data = file("compromised.txt", sealedText("opened"));
  expect((await run(["decrypt", "-k", path, data])).stdout).toBe('"opened"');
  // Rotating keeps what the file says beside its keys.
  expect((await run(["rotate", "--now", "-k", path])).code).toBe(0);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ dangerouslyOpenCompromised: [kid("old")] });
});

test("a file and keys in the environment at once are told, by check in JSON too", async () => {
  const env = { STEPSEAL_KEY: key("new"), STEPSEAL_KEYRING_FILE: file("both.json", ring) };
  const { code, stdout } = await run(["check", "--json"], { env });
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, problems: [expect.stringContaining("both set")] });
});
