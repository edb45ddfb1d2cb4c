import qstash from "../fixtures/qstash-vectors.json" with { type: "json" };
import { type Check, passed, refuses, same, thrownBy } from "./check.ts";
import type { Implementation } from "./conformance.ts";
import { hmacSha256, toHex, utf8 } from "./reference.ts";

/** Our code for each reason that the vectors give, where it is one alone. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  mac: ["MISMATCH"],
  alg: ["UNSUPPORTED_ALGORITHM"],
  malformed: ["MALFORMED"],
  iss: ["MALFORMED"],
  exp: ["MALFORMED", "EXPIRED"],
  nbf: ["MALFORMED", "FROM_FUTURE"],
  lifetime: ["MALFORMED"],
  sub: ["WRONG_DESTINATION"],
  body: ["BODY_ALTERED"],
  "body-claim": ["MALFORMED"],
};

interface QstashVector {
  readonly name: string;
  readonly now: number;
  readonly currentSigningKey: string;
  readonly nextSigningKey: string;
  readonly body: string;
  readonly signature: string;
  readonly url?: string;
  readonly clockTolerance?: number;
  readonly strict: { readonly ok: boolean; readonly why?: string };
}

const T0 = 1_767_225_600;
const now = (): number => T0 * 1000;
const BODY = utf8('{"n":1}');

/** Signed requests of QStash. */
export function qstashChecks({ transport }: Implementation, check: Check): void {
  for (const vector of qstash.vectors as readonly QstashVector[]) {
    check(`answers a QStash request: ${vector.name}`, async () => {
      const { url, clockTolerance, body, signature, currentSigningKey, nextSigningKey, strict } = vector;
      const verifier = transport.createVerifier({
        ...{ scheme: "qstash", currentSigningKey, nextSigningKey, now: () => vector.now * 1000 },
        ...(url === undefined ? { dangerouslyAcceptAnyUrl: true } : { url }),
        ...(clockTolerance === undefined ? {} : { clockTolerance }),
      });
      const answer = verifier.verify({ headers: { "upstash-signature": signature }, body: utf8(body) });
      if (strict.ok) return same((await answer).scheme, "qstash");
      const { code } = await thrownBy(() => answer);
      return same(CODES[strict.why!]!.includes(String(code)), true);
    });
  }
  const url = "https://app.example.com/api/workflow";
  const options = { scheme: "qstash", currentSigningKey: "sig_an_example", url, now } as const;
  check("signs a QStash request that is accepted once", async () => {
    const { headers, keyId } = await transport.createSigner(options).sign({ body: BODY });
    const replay = transport.memoryReplayStore({ now });
    const verifier = transport.createVerifier({ ...options, replay });
    same(await verifier.verify({ headers, body: BODY }), { scheme: "qstash", keyId, usedFallback: false });
    await refuses("REPLAYED", () => verifier.verify({ headers, body: BODY }));
    await refuses("BODY_ALTERED", () => verifier.verify({ headers, body: utf8('{"n":2}') }));
    const elsewhere = transport.createVerifier({ ...options, url: `${url}/other` });
    return refuses("WRONG_DESTINATION", () => elsewhere.verify({ headers, body: BODY }));
  });
}

const HEX_KEY = "0123456789abcdef0123456789abcdef";

/** Bodies, and the canonical JSON that their signature covers. */
const COVERED: readonly (readonly [name: string, sent: string, covered: string])[] = [
  ["nothing", "", ""],
  ["members in another order", '{"b":1,"a":2}', '{"a":2,"b":1}'],
  ["white space", '{ "a" : [ 1 , 2 ] }\n', '{"a":[1,2]}'],
  ["numbers spelt otherwise", '{"a":[1.0,1e2,-0]}', '{"a":[1,100,0]}'],
  [
    "the digits of numbers",
    "[1e21,1e-7,0.1,5e-324,1.7976931348623157e308]",
    "[1e+21,1e-7,0.1,5e-324,1.7976931348623157e+308]",
  ],
  ["escapes", String.raw`{"\u0061":"\u00e9\/"}`, '{"a":"é/"}'],
  [
    "names beyond ASCII, by their UTF-16 units",
    '{"\u20ac":1,"\ud83d\ude00":2,"\ufb33":3}',
    '{"\u20ac":1,"\ud83d\ude00":2,"\ufb33":3}',
  ],
  ["names that objects treat specially", '{"b":1,"__proto__":{"x":1}}', '{"__proto__":{"x":1},"b":1}'],
];

/** Signed requests and responses of Inngest. */
export function inngestSignatureChecks({ transport }: Implementation, check: Check): void {
  const options = { scheme: "inngest", signingKey: `signkey-prod-${HEX_KEY}`, now } as const;
  const [signer, verifier] = [transport.createSigner(options), transport.createVerifier(options)];
  const signed = async (covered: string): Promise<Record<string, string>> => {
    const mac = toHex(await hmacSha256(utf8(HEX_KEY), utf8(covered), utf8(String(T0))));
    return { "x-inngest-signature": `t=${T0}&s=${mac}` };
  };
  for (const [name, sent, covered] of COVERED) {
    check(`signs an Inngest request as Web Crypto does: ${name}`, async () => {
      const [body, headers] = [utf8(sent), await signed(covered)];
      same((await signer.sign({ body })).headers, headers);
      return same((await verifier.verify({ headers, body })).usedFallback, false);
    });
  }
  check("signs an Inngest response over its bytes", async () => {
    for (const text of ['{"b":1,"a":2}', "", "not JSON"]) {
      const { headers } = await signer.signResponse({ body: utf8(text) });
      same(headers, await signed(text));
      await verifier.verifyResponse({ headers, body: utf8(text) });
    }
    return passed;
  });
  check("refuses an Inngest request that is late, early, altered, malformed or of another key", async () => {
    const headers = await signed('{"n":1}');
    const at = (seconds: number, more: object = {}) =>
      transport.createVerifier({ ...options, now: () => (T0 + seconds) * 1000, ...more });
    await refuses("EXPIRED", () => at(301).verify({ headers, body: BODY }));
    await refuses("FROM_FUTURE", () => at(-301).verify({ headers, body: BODY }));
    await refuses("MISMATCH", () => verifier.verify({ headers, body: utf8('{"n":2}') }));
    await refuses("MALFORMED", () => verifier.verify({ headers, body: utf8('{"n":1,"n":1}') }));
    await refuses("MISSING", () => verifier.verify({ headers: {}, body: BODY }));
    const other = { signingKey: `signkey-prod-${HEX_KEY.replaceAll("0", "9")}` };
    return refuses("MISMATCH", () => at(0, other).verify({ headers, body: BODY }));
  });
  check("guards an endpoint of the Fetch API", async () => {
    const endpoint = transport.secureEndpoint(async () => new Response("in"), { verifier });
    const send = (headers: Record<string, string>): Promise<Response> =>
      Promise.resolve(
        endpoint(new Request("https://app.example.com/", { method: "POST", headers, body: BODY })),
      );
    same((await send({})).status, 401);
    const answer = await send(await signed('{"n":1}'));
    return same([answer.status, await answer.text()], [200, "in"]);
  });
}
