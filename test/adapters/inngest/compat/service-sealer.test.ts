import { createSealer } from "stepseal";
import { describe, expect, test } from "vitest";
import type { EncryptionService } from "../../../../src/adapters/inngest/compat/encryption-service.ts";
import { serviceSealer } from "../../../../src/adapters/inngest/compat/service-sealer.ts";
import { envelopeSealer } from "../../../../src/value-sealer.ts";
import { codeOf } from "../../../code-of.ts";
import { keyring } from "../keys.ts";

const PLACE = { kind: "step.output" } as const;
const base = envelopeSealer(createSealer({ keyring: keyring() }));

/** A service that writes JSON backwards, of which a test changes something; and what it was asked. */
function sealerOf(change: Partial<EncryptionService> = {}) {
  const asked: unknown[] = [];
  const service: EncryptionService = {
    identifier: "reversed",
    encrypt: (value) => [...JSON.stringify(value)].reverse().join(""),
    decrypt(data) {
      asked.push(data);
      return JSON.parse([...data].reverse().join(""));
    },
    ...change,
  };
  return { sealer: serviceSealer(service, base), asked };
}

const sealed = (data: string) => ({ __ENCRYPTED__: true, __STRATEGY__: "reversed", data });

describe("what is sealed", () => {
  test("is filled in by the time it leaves, and empty before", async () => {
    const { sealer } = sealerOf({ encrypt: async (value) => `of ${JSON.stringify(value)}` });
    const [one, two] = [sealer.seal(1, PLACE), sealer.sealJson('{"n":2}', PLACE)];
    expect(one).toEqual(sealed(""));
    await sealer.settled?.();
    expect([one, two]).toEqual([sealed("of 1"), sealed('of {"n":2}')]);
  });

  test("is nothing where nothing is", async () => {
    await expect(sealerOf().sealer.settled?.()).resolves.toBeUndefined();
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("down");
      },
      "down",
    ],
    ["rejects", () => Promise.reject(new Error("down")), "down"],
    ["gives no text", () => 7 as never, "encrypt gave no string"],
  ] as [string, EncryptionService["encrypt"], string][])(
    "does not leave where the service %s, with its reason",
    async (_name, encrypt, reason) => {
      const { sealer } = sealerOf({ encrypt });
      sealer.seal("card", PLACE);
      await expect(sealer.settled?.()).rejects.toMatchObject({
        name: "SealerUnavailable",
        message: 'the encryption service "reversed" failed',
        cause: expect.objectContaining({ message: reason }),
      });
    },
  );
});

describe("what is opened", () => {
  test("was asked for before, once each, wherever it stood", async () => {
    const { sealer, asked } = sealerOf();
    const [one, two] = [sealed("1"), sealed('"owt"')];
    const error = new Error("m", { cause: two });
    const loop: Record<string, unknown> = { list: [one, null, "text"], again: { ...one }, error };
    loop.loop = loop;
    await sealer.prepare?.(loop);
    expect(asked.sort()).toEqual(['"owt"', "1"]);
    expect([sealer.open(one, PLACE), sealer.open(two, PLACE)]).toEqual([1, "two"]);
  });

  test("fails with the service's own error", async () => {
    const down = new Error("down");
    const { sealer } = sealerOf({
      decrypt: () => {
        throw down;
      },
    });
    await sealer.prepare?.([sealed("1")]);
    expect(() => sealer.open(sealed("1"), PLACE)).toThrow(down);
  });

  test("was not asked for: is refused", () => {
    expect(codeOf(() => sealerOf().sealer.open(sealed("1"), PLACE))).toBe("FORMAT");
  });

  test("is of another strategy: is opened by who knows it", async () => {
    const { sealer, asked } = sealerOf();
    const envelope = base.seal("card", PLACE);
    await sealer.prepare?.([envelope]);
    expect(asked).toEqual([]);
    expect(sealer.open(envelope, PLACE)).toBe("card");
    expect(codeOf(() => sealer.open("plaintext", PLACE))).toBe("PLAINTEXT_REJECTED");
    expect([sealed("1"), envelope, "plaintext"].map(sealer.recognises)).toEqual([true, false, false]);
    expect(sealer.claimsOf(sealed("1"))).toBeUndefined();
  });
});
