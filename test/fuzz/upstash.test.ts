import { createWorkflow } from "@upstash/workflow/nextjs";
import fc from "fast-check";
import { findPlaintext } from "stepseal/testing";
import { createSigner } from "stepseal/transport";
import { describe, expect, test } from "vitest";
import {
  type App,
  createApp,
  fromBase64,
  ORIGIN,
  secure_,
  toBase64,
  type Workflows,
} from "../adapters/upstash/harness.ts";
import { fuzz, MARKER, TIMEOUT } from "./fuzz.ts";
import { changedJson, changedText } from "./mutations.ts";

/** A request of the platform, which it can change and sign again. */
interface Sent {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const seen: (readonly [what: string, value: unknown])[] = [];
/** What an honest request of a run shows, at most. */
const honest = (run: string) => [
  ["payload", { card: `${MARKER} card of ${run}`, run }],
  ["first", { result: `${MARKER} first of ${run}` }],
  ["second", `${MARKER} second of ${run}`],
  ["awake", true],
];

const workflows = (): Workflows => ({
  pay: createWorkflow(async (context) => {
    const { run } = context.requestPayload as { run: string };
    const see = (what: string, value: unknown): void => void seen.push([what, value]);
    see("payload", context.requestPayload);
    see("first", await context.run("first", () => ({ result: `${MARKER} first of ${run}` })));
    see("second", await context.run("second", () => `${MARKER} second of ${run}`));
    await context.sleep("nap", 3600);
    see("awake", true);
  }),
});

/** The requests of two runs, and a way to the endpoint that they went to. */
async function played(): Promise<{
  app: App;
  requests: readonly Sent[];
  send: (sent: Sent) => Promise<Response>;
}> {
  let isOver = false;
  const requests: Sent[] = [];
  const app = await createApp(workflows(), { intercept: () => (isOver ? new Response("{}") : undefined) });
  const { POST } = secure_(app.qstash).serveMany(workflows());
  app.qstash.serve(ORIGIN, async (request) => {
    const { url, headers } = request;
    requests.push({ url, headers: Object.fromEntries(headers), body: await request.clone().text() });
    return POST(request);
  });
  for (const run of ["one", "two"]) {
    const id = await app.trigger("pay", { card: `${MARKER} card of ${run}`, run });
    await app.qstash.idle();
    await app.qstash.advance("2h");
    expect(app.qstash.run(id).state).toBe("RUN_SUCCESS");
  }
  expect(seen.slice(-4)).toEqual(honest("two"));
  expect(requests.some(({ body }) => body.startsWith("["))).toBe(true);
  isOver = true;
  const send = async ({ url, headers, body }: Sent): Promise<Response> => {
    const bytes = Buffer.from(body);
    const signer = createSigner({ scheme: "qstash", currentSigningKey: app.qstash.signingKeys.current, url });
    const { "content-length": _, ...rest } = headers;
    const signed = (await signer.sign({ body: bytes })).headers;
    return POST(new Request(url, { method: "POST", headers: { ...rest, ...signed }, body: bytes }));
  };
  return { app, requests, send };
}

/** A journal with its bodies as the JSON that they are, so that changes reach into them; and back. */
function unfolded(body: string): unknown {
  const value = JSON.parse(body) as unknown;
  if (!Array.isArray(value)) return value;
  return value.map((entry: { body: string }) => ({
    ...entry,
    body: { json: JSON.parse(fromBase64(entry.body)) },
  }));
}
function folded(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value) ?? "";
  return JSON.stringify(
    value.map((entry: { body?: { json?: unknown } } | null) =>
      typeof entry?.body === "object" && entry.body !== null && "json" in entry.body
        ? { ...entry, body: toBase64(JSON.stringify(entry.body.json) ?? "") }
        : entry,
    ),
  );
}

describe("a request of a platform that changes it", { timeout: TIMEOUT }, () => {
  const names = [
    "body",
    "messageId",
    "callType",
    "stepId",
    "stepName",
    "stepType",
    "out",
    "concurrent",
    "targetStep",
    "__ENCRYPTED__",
    "data",
  ];
  const header = fc.constantFrom<Record<string, string>>(
    ...Array.from({ length: 6 }, () => ({})),
    { "upstash-workflow-callback": "true" },
    { "upstash-workflow-is-failure": "true" },
    { "upstash-workflow-unknown-sdk": "true" },
    { "upstash-workflow-sdk-version": "" },
    { "upstash-workflow-runid": "wfr_of-another" },
    { "upstash-workflow-callback": "true", "upstash-workflow-stepid": "1" },
  );

  test("shows user code nothing that was not sealed for this place, and nobody else anything", async () => {
    const { app, requests, send } = await played();
    const request = fc.nat().map((which) => requests[which % requests.length]!);
    let opened = 0;
    const check = async (sent: Sent): Promise<void> => {
      seen.length = 0;
      const answer = await send(sent);
      expect([200, 401, 489, 500, 503]).toContain(answer.status);
      expect(`${await answer.text()} ${JSON.stringify([...answer.headers])}`).not.toContain(
        MARKER.slice(0, 12),
      );
      // The SDK runs the code twice where a run begins: once up to its first step, to see that it has one.
      const shown = [...seen];
      if (shown.some(([what]) => what === "first")) opened++;
      const starts = shown.flatMap(([what], i) => (what === "payload" ? [i] : []));
      for (const [i, start] of starts.entries()) {
        const { run = "" } = (shown[start]?.[1] ?? {}) as { run?: string };
        const of = shown.slice(start, starts[i + 1]);
        expect(of).toEqual(honest(run).slice(0, of.length));
      }
      expect(starts[0] ?? 0).toBe(0);
    };
    // As they were, the requests show what they showed.
    for (const sent of requests) await check(sent);
    expect(opened).toBeGreaterThan(3);
    await fuzz(
      fc.asyncProperty(
        request,
        request,
        changedJson(names),
        header,
        fc.boolean(),
        async (one, other, change, more, together) => {
          const [body, second] = [one, other].map((sent) => unfolded(sent.body));
          const changed = together
            ? (change({ body, second }) as { body?: unknown } | null)?.body
            : change(body);
          await check({ ...one, headers: { ...one.headers, ...more }, body: folded(changed) });
        },
      ),
      60,
    );
    await fuzz(
      fc.asyncProperty(
        request,
        request,
        changedText('{}[]":,0aA_='),
        header,
        async (one, other, change, more) => {
          await check({ ...one, headers: { ...one.headers, ...more }, body: change(one.body, other.body) });
        },
      ),
      40,
    );
    expect(findPlaintext(app.qstash.wire, [MARKER])).toEqual([]);
  });
});
