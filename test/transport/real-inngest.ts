import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createSigner, createVerifier } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, T0 } from "./support.ts";

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
