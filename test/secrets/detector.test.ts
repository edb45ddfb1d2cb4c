import { createKeyring, createSealer, generateKey, StepsealError } from "stepseal";
import { SignatureError } from "stepseal/transport";
import { describe, expect, test, vi } from "vitest";
import { Outputs, outputs } from "./outputs.ts";

const MARKER = "mk80-what-the-search-must-find";

describe("a secret is found, whole or in part, and not told again", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) & 255);
  const buffer = Buffer.from(bytes);
  const text = generateKey();
  test.each([
    ["a key in hex", buffer.toString("hex")],
    ["in upper case", buffer.toString("hex").toUpperCase()],
    ["in base64", buffer.toString("base64")],
    ["in base64url", buffer.toString("base64url")],
    ["as JSON", JSON.stringify([...bytes])],
    ["as it is inspected", `Uint8Array(32) [ ${[...bytes].join(", ")} ]`],
    ["the text of a key", text],
    ["all but its ends", text.slice(9, -6)],
    ["a value", MARKER],
    ["a part of one", MARKER.slice(5)],
    ["a name", `{"${MARKER} as a name":1}`],
  ])("%s", (_, output) => {
    const found = new Outputs();
    found.secrets.addBytes(bytes);
    found.secrets.addKey(text);
    found.addJson(
      JSON.stringify({ deep: [{ a: MARKER, [`${MARKER} as a name`]: JSON.stringify({ MARKER }) }] }),
    );
    found.add("log", `something before it: ${output}`);
    const leaks = found.leaks();
    expect(leaks).not.toEqual([]);
    expect(leaks[0]).toMatchObject({
      channel: "log",
      after: expect.stringMatching(/^something before it: /),
    });
    expect(found.leaks()).toEqual([]);
  });

  test("what is no secret is not", () => {
    const nothing = new Outputs();
    nothing.addJson(JSON.stringify({ a: "short", b: "StepsealError", c: "text/plain;charset=UTF-8" }));
    nothing.add("log", "short StepsealError text/plain;charset=UTF-8", MARKER);
    expect(nothing.leaks()).toEqual([]);
  });
});

describe.runIf(process.env.SECRETS === "1")("while the suite is searched, a leak is seen", () => {
  const key = generateKey();
  const sealer = createSealer({ keyring: createKeyring({ key }) });
  const claims = { kind: "custom" } as const;
  const run = createKeyring({ key }).runKey("run");

  test.each<[string, () => unknown]>([
    ["an error's message", () => new StepsealError("CONFIG", `found ${key}`)],
    ["an error's cause", () => new StepsealError("CONFIG", "x", { cause: new Error(MARKER) })],
    ["an error's member", () => Object.assign(new StepsealError("CONFIG", "x"), { value: { deep: MARKER } })],
    ["the message of an error of a signature", () => new SignatureError("MISMATCH", MARKER)],
    ["the console", () => console.warn("value", { of: [MARKER] })],
    [
      "a spy in the console's place",
      () => vi.spyOn(console, "error").mockReturnValue(console.error(`spied: ${MARKER}`)),
    ],
    ["standard output", () => process.stdout.write(`${run.slice(-49)}\n`)],
  ])("in %s", (_, leak) => {
    sealer.open(sealer.seal({ value: MARKER }, claims), claims);
    leak();
    const leaks = outputs.leaks();
    vi.restoreAllMocks();
    expect(leaks).not.toEqual([]);
  });
});
