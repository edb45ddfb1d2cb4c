import { StepsealError } from "stepseal";
import type { EncryptionMiddlewareOptions } from "stepseal/inngest";
import { describe, expect, test } from "vitest";
import { Refusals } from "../../../src/adapters/inngest/gate/failure.ts";
import { sealResponseBody } from "../../../src/adapters/inngest/response-door.ts";
import { signAgain } from "../../../src/adapters/inngest/signature.ts";
import { createSigner, createVerifier } from "../../../src/transport/index.ts";
import { opened, RUN, scopeOf, sealer, TRIGGER } from "./gate/scope.ts";

const OP = { id: "x", op: "StepRun", displayName: "a", data: 4111 };
const OUTPUT = { kind: "step.output", ...RUN, step: "x", parent: TRIGGER } as const;
const RESULT = { kind: "fn.output", ...RUN, parent: TRIGGER } as const;

/** What is answered in place of an answer of the SDK's; where no run is known, `context` is undefined. */
function answer(
  status: number,
  body: string | undefined,
  {
    options = {},
    ...change
  }: { options?: EncryptionMiddlewareOptions; context?: undefined; sealer?: typeof sealer } = {},
): Promise<string> {
  const scope = { ...scopeOf(options), refusals: new Refusals(), ...change };
  return sealResponseBody({ status, headers: {}, body }, scope);
}
const noRun = { context: undefined };

describe("an answer", () => {
  test.each([
    ['{"card":4111}', { card: 4111 }],
    ['"text"', "text"],
    ["null", null],
    [undefined, null],
  ])("of a run that is done is sealed for it: %o", async (body, result) => {
    expect(opened(JSON.parse(await answer(200, body)), RESULT)).toEqual(result);
  });

  test("of steps is sealed for each of them, alone or in a list", async () => {
    const one = JSON.parse(await answer(206, JSON.stringify(OP))) as { data: unknown };
    expect(opened(one.data, OUTPUT)).toBe(4111);
    const list = JSON.parse(await answer(206, JSON.stringify([OP, { ...OP, data: 5 }]))) as {
      data: unknown;
    }[];
    expect(list.map(({ data }) => opened(data, OUTPUT))).toEqual([4111, 5]);
  });

  test.each([400, 404, 500, 599])("of a failure is sealed, of status %i", async (status) => {
    const error = { name: "Error", message: "card 4111", stack: "" };
    const left = JSON.parse(await answer(status, JSON.stringify(error))) as {
      cause: unknown;
      message: string;
    };
    expect(left.message).toMatch(/^Sealed by stepseal/);
    expect(opened(left.cause, { kind: "fn.error", ...RUN, parent: TRIGGER })).toEqual(error);
  });

  test.each([100, 201, 207, 302, 399, 600])(
    "of status %i is not known, and does not leave",
    async (status) => {
      await expect(answer(status, '{"card":4111}')).rejects.toMatchObject({ code: "REFUSED" });
    },
  );

  test("of a step that is not there any more leaves: ids and names", async () => {
    const told = { error: "not found", requestedStep: "x", foundSteps: [], totalFoundSteps: 0 };
    expect(JSON.parse(await answer(500, JSON.stringify(told)))).toEqual(told);
    const more = await answer(500, JSON.stringify({ ...told, card: 4111 }));
    expect(more).toContain("Sealed by stepseal");
    const listed = answer(500, JSON.stringify(Object.keys(told)));
    await expect(listed).rejects.toMatchObject({ code: "REFUSED" });
  });

  test("of steps or of a failure that is no JSON does not leave", async () => {
    for (const status of [206, 500]) await expect(answer(status, "{card")).rejects.toThrow(Error);
    await expect(answer(206, undefined)).rejects.toThrow(Error);
  });

  test.each(["", '{"message":"Unauthorized"}', '{"code":"internal_server_error"}'])(
    "where no function ran leaves, where it is one of the SDK's own: %o",
    async (body) => {
      expect(await answer(401, body, noRun)).toBe(body);
      if (body !== "") expect(await answer(401, body)).not.toBe(body);
    },
  );

  test("of a run whose events were never seen does not leave, but for its failure, sealed for none", async () => {
    for (const [status, body] of [
      [200, "1"],
      [200, undefined],
      [206, JSON.stringify([OP])],
    ] as const) {
      await expect(answer(status, body, noRun)).rejects.toBeInstanceOf(StepsealError);
    }
    const failure = JSON.parse(await answer(500, '{"message":"card 4111"}', noRun)) as { cause: unknown };
    expect(opened(failure.cause, { kind: "fn.error" })).toEqual({ message: "card 4111" });
  });

  test("waits for what an asynchronous sealer has not sealed yet", async () => {
    const filled: { data?: string } = {};
    const slow = {
      ...sealer,
      sealJson: () => filled as never,
      settled: async () => {
        filled.data = "sealed";
      },
    };
    expect(await answer(200, "1", { sealer: slow })).toBe('{"data":"sealed"}');
  });
});

describe("an answer that was signed is signed again", () => {
  const [FIRST, SECOND, OTHER] = ["a1", "b2", "c3"].map((hex) => `signkey-test-${hex.repeat(8)}`) as [
    string,
    string,
    string,
  ];
  const NOW = 1_700_000_000_499;
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const signedBy = async (signingKey: string, body: string): Promise<Record<string, string>> => {
    const signer = createSigner({ scheme: "inngest", signingKey, env: {}, now: () => NOW });
    return { "content-type": "text/plain", ...(await signer.signResponse({ body: bytes(body) })).headers };
  };
  const isSigned = (headers: Record<string, string>, signingKey: string, body: string): Promise<boolean> =>
    createVerifier({ scheme: "inngest", signingKey, env: {}, now: () => NOW })
      .verifyResponse({ headers, body: bytes(body) })
      .then(
        () => true,
        () => false,
      );

  test.each([
    ["the key", FIRST],
    ["the fallback key", SECOND],
  ])("with %s that signed it", async (_name, key) => {
    const headers = signAgain(await signedBy(key, "old"), "old", "new", [FIRST, SECOND], NOW);
    expect(await isSigned(headers, key, "new")).toBe(true);
    expect(await isSigned(headers, key, "old")).toBe(false);
    expect(headers["content-type"]).toBe("text/plain");
    const [name] = Object.keys(headers).filter((each) => /signature/i.test(each));
    expect(headers[name!]).toMatch(/^t=1700000000&/);
  });

  test("under the name that it had, and what the SDK signed where it had no text", async () => {
    const [value] = Object.values(await signedBy(FIRST, "undefined")).slice(1);
    const headers = signAgain({ "X-Inngest-Signature": value! }, undefined, "new", [undefined, FIRST], NOW);
    expect(Object.keys(headers)).toEqual(["X-Inngest-Signature"]);
    expect(await isSigned({ "x-inngest-signature": headers["X-Inngest-Signature"]! }, FIRST, "new")).toBe(
      true,
    );
  });

  test("and otherwise left: without a signature, or with one that no key explains, or that is none", async () => {
    const plain = { "content-type": "text/plain" };
    expect(signAgain(plain, "old", "new", [FIRST], NOW)).toEqual(plain);
    for (const headers of [
      await signedBy(OTHER, "old"),
      await signedBy(FIRST, "another"),
      { "x-inngest-signature": "none" },
    ]) {
      const left = signAgain(headers, "old", "new", [FIRST, undefined], NOW);
      expect(left).toEqual(headers);
      expect(left).not.toBe(headers);
    }
  });
});
