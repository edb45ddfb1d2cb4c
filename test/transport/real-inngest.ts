import { createHmac } from "node:crypto";
import canonicalize from "canonicalize";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createSigner, createVerifier } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, refusal, T0 } from "./support.ts";

type Serve = (keys: {
  signingKey: string;
  signingKeyFallback?: string;
}) => (request: Request) => Promise<Response>;

/** Bodies whose canonical form is another text, beside those that are canonical. */
const DATA = [
  '{"a":1}',
  '{ "b" : 1.50, "a" : [1e21, -0, 1E2] }',
  '{"9":1,"10":2,"é\\u2028<":"\\ud83d\\ude00 \\ud800"}',
  '{"__proto__":{"z":1},"toJSON":4,"x":{"toJSON":1,"b":1,"a":2}}',
  '{"big":9007199254740993,"precise":0.1000000000000000055511151231257827}',
];

const request = (data: string): Uint8Array =>
  bytes(
    `{"version":1,"event":{"name":"go","data":${data}},"events":[{"name":"go","data":${data}}],"steps":{},"use_api":false,` +
      '"ctx":{"run_id":"r","attempt":0,"stack":{"stack":[],"current":0},"disable_immediate_execution":false,"use_api":false}}',
  );

async function post(
  handler: (request: Request) => Promise<Response>,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
  const response = await handler(
    new Request("http://app.test/api/inngest?fnId=app-fn&stepId=step", {
      method: "POST",
      headers: { ...headers, host: "app.test", "content-type": "application/json" },
      body: body as BodyInit,
    }),
  );
  return {
    status: response.status,
    headers: response.headers,
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** A request that the SDK takes for authentic, and this project does not. */
interface LenientCase {
  readonly name: string;
  /** What the MAC covers, before the time. Default: the body's canonical form. */
  readonly covered?: string;
  readonly body?: string;
  readonly time?: string;
  readonly header?: (time: string, mac: string) => string;
}

const twice = new TextDecoder().decode(request('{"a":2}')).replaceAll('{"a":2}', '{"a":1,"a":2}');
const LENIENT: readonly LenientCase[] = [
  { name: "a header with more in it", header: (time, mac) => `t=${time}&s=${mac}&v=1` },
  { name: "a header with two times", header: (time, mac) => `t=${time}&s=${mac}&t=1` },
  { name: "a time with a zero before it", time: `0${T0}` },
  { name: "a time with letters after it", time: `${T0}abc` },
  { name: "a member named twice", body: twice },
  { name: "a number past the range of a double", body: '{"a":1e400}', covered: '{"a":null}' },
  { name: "a text for a body", body: JSON.stringify('{"a":1}'), covered: '{"a":1}' },
];

/** What must hold between this project and a version of the real SDK, whose keys `serve` is given. */
export function acceptsBothWays(sdk: string, serve: Serve): void {
  describe(sdk, () => {
    beforeAll(() => {
      // The SDK asks the clock of the process.
      vi.useFakeTimers({ toFake: ["Date"], now: at()() });
    });
    afterAll(() => {
      vi.useRealTimers();
    });

    test.each(DATA)("accepts what is signed here, and its answer verifies here: %s", async (data) => {
      const keys = { scheme: "inngest", signingKey: INNGEST.old, now: at() } as const;
      const body = request(data);
      const { headers } = await createSigner(keys).sign({ body });
      const answer = await post(serve({ signingKey: INNGEST.old }), headers, body);
      expect(answer.status).toBe(200);
      // What the function returned: its event's data, through JSON once more.
      expect(new TextDecoder().decode(answer.body)).toBe(JSON.stringify(JSON.parse(data)));
      expect(await createVerifier(keys).verifyResponse(answer)).toMatchObject({ usedFallback: false });
    });

    test.each([
      { name: "before", app: ["old"], platform: "old", status: 200 },
      { name: "new key deployed as fallback", app: ["old", "new"], platform: "old", status: 200 },
      { name: "the platform switched", app: ["old", "new"], platform: "new", status: 200 },
      { name: "the app switched", app: ["new", "old"], platform: "old", status: 200 },
      { name: "after", app: ["new"], platform: "new", status: 200 },
      { name: "the app was too early", app: ["new"], platform: "old", status: 401 },
      { name: "the app was too late", app: ["old"], platform: "new", status: 401 },
    ] as const)("while keys rotate, agrees with the verifier: $name", async ({ app, platform, status }) => {
      const [signingKey, signingKeyFallback] = [INNGEST[app[0]], app[1] && INNGEST[app[1]]];
      const keys = { signingKey, ...(signingKeyFallback !== undefined && { signingKeyFallback }) };
      const body = request('{"n":1}');
      const signer = createSigner({ scheme: "inngest", signingKey: INNGEST[platform], now: at() });
      const { headers, keyId } = await signer.sign({ body });

      const answer = await post(serve(keys), headers, body);
      expect(answer.status).toBe(status);
      const verifier = createVerifier({ scheme: "inngest", ...keys, now: at() });
      const verdict = verifier.verify({ headers, body });
      if (status === 401) return expect(verdict).rejects.toMatchObject({ code: "MISMATCH" });
      expect(await verdict).toEqual({ scheme: "inngest", keyId, usedFallback: app[0] !== platform });
      // The SDK answers with the key that verified the request.
      expect(await verifier.verifyResponse(answer)).toMatchObject({ keyId });
    });

    test("accepts an empty body that is signed here, in its introspection", async () => {
      const signer = createSigner({ scheme: "inngest", signingKey: INNGEST.old, now: at() });
      const { headers } = await signer.sign({ body: bytes("") });
      const introspect = async (given: Readonly<Record<string, string>>): Promise<unknown> => {
        const handler = serve({ signingKey: INNGEST.old });
        const request = new Request("http://app.test/api/inngest", {
          headers: { ...given, host: "app.test" },
        });
        return (await handler(request)).json();
      };
      expect(await introspect(headers)).toMatchObject({ authentication_succeeded: true });
      expect(await introspect({})).toEqual({ message: "Unauthorized" });
    });

    test.each(LENIENT)("is more lenient: $name", async ({ header, time = `${T0}`, ...rest }) => {
      const body = bytes(rest.body ?? new TextDecoder().decode(request("{}")));
      const covered = rest.covered ?? canonicalize(JSON.parse(new TextDecoder().decode(body)))!;
      const mac = createHmac("sha256", INNGEST.old.slice("signkey-prod-".length))
        .update(covered + time)
        .digest("hex");
      const headers = { "x-inngest-signature": header?.(time, mac) ?? `t=${time}&s=${mac}` };
      // Bodies that are no execution request fail later, and not with 401.
      expect((await post(serve({ signingKey: INNGEST.old }), headers, body)).status).not.toBe(401);
      const verifier = createVerifier({ scheme: "inngest", signingKey: INNGEST.old, now: at() });
      expect(await refusal(verifier.verify({ headers, body }))).toBe("MALFORMED");
    });

    test("agrees on the age that is accepted", async () => {
      const body = request("{}");
      const signer = createSigner({ scheme: "inngest", signingKey: INNGEST.old, now: at() });
      const { headers } = await signer.sign({ body });
      for (const [age, isAccepted] of [
        [300, true],
        [-300, true],
        [301, false],
        [-301, false],
      ] as const) {
        vi.setSystemTime((T0 + age) * 1000);
        const { status } = await post(serve({ signingKey: INNGEST.old }), headers, body);
        expect([age, status === 200]).toEqual([age, isAccepted]);
        const verifier = createVerifier({ scheme: "inngest", signingKey: INNGEST.old, now: at(age) });
        const verdict = await verifier.verify({ headers, body }).then(
          () => true,
          () => false,
        );
        expect([age, verdict]).toEqual([age, isAccepted]);
      }
    });
  });
}
