import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSigner, createVerifier } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, QSTASH, refusal, URL_OF_APP } from "./support.ts";

/** SLOW=1 runs each property twenty times as often. */
const numRuns = process.env.SLOW === "1" ? 4000 : 200;

const inngest = { scheme: "inngest", signingKey: INNGEST.old, now: at() } as const;
const qstash = { scheme: "qstash", currentSigningKey: QSTASH.old, url: URL_OF_APP, now: at() } as const;
const any = { dangerouslyAcceptAnyUrl: true } as const;

/** Each way of signing bytes, and how what it signs is verified. */
const ways = [
  {
    name: "an Inngest request",
    header: "x-inngest-signature",
    bodies: fc.json().map((json) => bytes(JSON.stringify({ json: JSON.parse(json) }))),
    sign: (body: Uint8Array) => createSigner(inngest).sign({ body }),
    verify: (headers: Readonly<Record<string, string>>, body: Uint8Array, key: string = INNGEST.old) =>
      createVerifier({ ...inngest, signingKey: key }).verify({ headers, body }),
    key: INNGEST.old,
  },
  {
    name: "an Inngest response",
    header: "x-inngest-signature",
    bodies: fc.uint8Array({ minLength: 1 }),
    sign: (body: Uint8Array) => createSigner(inngest).signResponse({ body }),
    verify: (headers: Readonly<Record<string, string>>, body: Uint8Array, key: string = INNGEST.old) =>
      createVerifier({ ...inngest, signingKey: key }).verifyResponse({ headers, body }),
    key: INNGEST.old,
  },
  {
    name: "a QStash request",
    header: "upstash-signature",
    bodies: fc.uint8Array({ minLength: 1 }),
    sign: (body: Uint8Array) => createSigner(qstash).sign({ body }),
    verify: (headers: Readonly<Record<string, string>>, body: Uint8Array, key: string = QSTASH.old) =>
      createVerifier({ ...qstash, url: undefined, ...any, currentSigningKey: key } as never).verify({
        headers,
        body,
      }),
    key: QSTASH.old,
  },
];

/** Whether two bodies are one JSON value, which is what an Inngest signature covers. */
function isSameJson(a: Uint8Array, b: Uint8Array): boolean {
  try {
    const [one, other] = [a, b].map((body) =>
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)),
    );
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false;
  }
}

describe.each(ways)("of $name", ({ name, header, bodies, sign, verify, key }) => {
  const flip = fc.record({ where: fc.nat(), bit: fc.nat({ max: 7 }) });

  test("any altered bit of the body is refused", async () => {
    await fc.assert(
      fc.asyncProperty(bodies, flip, async (body, { where, bit }) => {
        const { headers } = await sign(body);
        expect(await refusal(verify(headers, body))).toBeUndefined();
        const altered = Uint8Array.from(body);
        altered[where % body.length]! ^= 1 << bit;
        if (name === "an Inngest request" && isSameJson(body, altered)) return;
        expect(await refusal(verify(headers, altered))).toMatch(/^(MISMATCH|MALFORMED|BODY_ALTERED)$/);
      }),
      { numRuns },
    );
  });

  test("a body that lost or gained a byte is refused", async () => {
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), async (body, where) => {
        const { headers } = await sign(body);
        const cut = where % body.length;
        const shorter = Uint8Array.from([...body.slice(0, cut), ...body.slice(cut + 1)]);
        const longer = Uint8Array.from([...body.slice(0, cut), 0x30, ...body.slice(cut)]);
        for (const altered of [shorter, longer]) {
          if (name === "an Inngest request" && isSameJson(body, altered)) continue;
          expect(await refusal(verify(headers, altered))).toMatch(/^(MISMATCH|MALFORMED|BODY_ALTERED)$/);
        }
      }),
      { numRuns },
    );
  });

  test("any altered character of the header, its time and signature, is refused", async () => {
    const alphabet = fc.constantFrom(
      ..."0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.=&+/ ",
    );
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), alphabet, async (body, where, other) => {
        const value = (await sign(body)).headers[header]!;
        const at = where % value.length;
        fc.pre(value[at] !== other);
        const altered = { [header]: value.slice(0, at) + other + value.slice(at + 1) };
        expect(await refusal(verify(altered, body))).toMatch(/^(MISMATCH|MALFORMED|UNSUPPORTED_ALGORITHM)$/);
      }),
      { numRuns: numRuns * 2 },
    );
  });

  test("each altered character of the last header is refused, the MAC's last bits too", async () => {
    const body = bytes('{"n":1}');
    const value = (await sign(body)).headers[header]!;
    for (let at = 0; at < value.length; at++) {
      for (const other of "0aAbB_-") {
        if (value[at] === other) continue;
        const altered = { [header]: value.slice(0, at) + other + value.slice(at + 1) };
        expect([at, other, await refusal(verify(altered, body))]).not.toContain(undefined);
      }
    }
  });

  test("any altered character of the key refuses", async () => {
    const body = bytes('{"n":1}');
    const { headers } = await sign(body);
    const from = key.lastIndexOf("-") + 1;
    for (let at = from; at < key.length; at++) {
      const other = key[at] === "7" ? "8" : "7";
      const altered = key.slice(0, at) + other + key.slice(at + 1);
      expect(await refusal(verify(headers, body, altered))).toBe("MISMATCH");
    }
  });
});

test("what is signed for one scheme or direction is nothing in another", async () => {
  const body = bytes('{"b":1,"a":2}');
  const response = await createSigner(inngest).signResponse({ body });
  // The response covers the text, the request its canonical form.
  expect(await refusal(createVerifier(inngest).verify({ ...response, body }))).toBe("MISMATCH");
  expect(await refusal(createVerifier(qstash).verify({ ...response, body }))).toBe("MISSING");
  const token = await createSigner(qstash).sign({ body });
  expect(await refusal(createVerifier(inngest).verify({ ...token, body }))).toBe("MISSING");
});
