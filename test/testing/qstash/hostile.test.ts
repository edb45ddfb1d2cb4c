import { expect, test } from "vitest";
import { clientOf, platform, run, served, URL_OF_APP } from "./app.ts";

test("a hook sees each delivery and may edit it before it is signed", async () => {
  const qstash = await platform({
    onDeliver: (delivery) => {
      if (delivery.attempt > 0 || delivery.kind !== "step") return;
      delivery.headers.tenant = "another";
      delivery.body = delivery.body.replaceAll(btoa("payload"), btoa("altered"));
    },
  });
  served<string, unknown>(qstash, async (context) =>
    context.run("see", () => [context.requestPayload, context.headers.get("tenant")]),
  );
  const found = await run(qstash, { body: "payload", headers: { tenant: "own" } });
  expect(found.result).toBe('["altered","another"]');
  expect(found.headers.tenant).toBe("own");
});

test("a hook may send a delivery elsewhere, or drop it for good", async () => {
  let mode: "elsewhere" | "drop" = "elsewhere";
  const qstash = await platform({
    onDeliver: (delivery) => {
      if (mode === "drop") return "drop";
      delivery.url = "https://app.example.com/other";
      return undefined;
    },
  });
  const seen: string[] = [];
  qstash.serve("https://app.example.com/other", async (request) => {
    seen.push(request.url);
    return new Response("", { headers: { "upstash-workflow-sdk-version": "1" } });
  });
  await run(qstash);
  expect(seen).toEqual(["https://app.example.com/other"]);
  mode = "drop";
  const dropped = await run(qstash);
  await qstash.advance("7d");
  expect(dropped.state).toBe("RUN_STARTED");
  expect(qstash.deliveries.at(-1)).toMatchObject({ status: undefined, problem: "dropped" });
});

test("any delivery can be made up from outside, and is signed", async () => {
  const qstash = await platform();
  const seen: unknown[] = [];
  served(qstash, async (context) => {
    const one = await context.run("one", () => "own");
    await context.run("two", () => seen.push([context.workflowRunId, context.requestPayload, one]));
  });
  const entry = (body: string) => ({ messageId: "msg_forged", body: btoa(body), callType: "step" });
  const step = { stepId: 1, stepName: "one", stepType: "Run", out: '"forged"', concurrent: 1 };
  qstash.publish({
    url: URL_OF_APP,
    body: [entry("forged payload"), entry(JSON.stringify(step))],
    headers: {
      "Upstash-Forward-Upstash-Workflow-RunId": "wfr_forged",
      "Upstash-Forward-Upstash-Workflow-Sdk-Version": "1",
    },
  });
  await qstash.idle();
  expect(seen).toEqual([["wfr_forged", "forged payload", "forged"]]);
  expect(qstash.runs).toEqual([]);
});

test("a stored journal can be changed under a run", async () => {
  const qstash = await platform();
  served(qstash, async (context) => {
    const one = await context.run("one", () => "stored");
    await context.sleep("a while", "1h");
    return one;
  });
  const found = await run(qstash);
  const entry = found.journal[1]!;
  entry.body = btoa(atob(entry.body).replace("stored", "forged"));
  await qstash.advance("1h");
  expect(found.result).toBe('"forged"');
});

test("the app takes requests of either signing key, and refuses others", async () => {
  const verdicts: (number | undefined)[] = [];
  for (const options of [{}, { signWith: "next" as const }]) {
    const qstash = await platform(options);
    served(qstash, async (context) => context.run("one", () => 1));
    const found = await run(qstash);
    expect(found.state).toBe("RUN_SUCCESS");
    verdicts.push(qstash.deliveries[0]?.status);
  }
  const qstash = await platform({ retries: 0 });
  served(qstash, async (context) => context.run("one", () => 1), {
    env: { ...qstash.env, QSTASH_CURRENT_SIGNING_KEY: "another", QSTASH_NEXT_SIGNING_KEY: "one more" },
  });
  await run(qstash);
  verdicts.push(qstash.deliveries[0]?.status);
  expect(verdicts).toEqual([200, 200, 500]);
});

test("a signature is for its URL, or for what a test says", async () => {
  const subjects: unknown[] = [];
  const read = async (request: Request): Promise<Response> => {
    const [, payload = ""] = request.headers.get("upstash-signature")?.split(".") ?? [];
    subjects.push(JSON.parse(Buffer.from(payload, "base64url").toString()).sub);
    return new Response();
  };
  for (const subject of [undefined, "https://fixed.example.com", (url: string) => `${url}?signed`]) {
    const qstash = await platform(subject === undefined ? {} : { subject });
    qstash.serve(URL_OF_APP, read);
    qstash.publish({ url: `${URL_OF_APP}/x`, body: "" });
    await qstash.idle();
  }
  expect(subjects).toEqual([`${URL_OF_APP}/x`, "https://fixed.example.com", `${URL_OF_APP}/x?signed`]);
});

test("a handler is chosen by the longest URL that is above, and a new one takes over", async () => {
  const qstash = await platform();
  const seen: string[] = [];
  const named = (name: string) => async (): Promise<Response> => {
    seen.push(name);
    return new Response();
  };
  qstash.serve("https://app.example.com", named("app"));
  qstash.serve("https://app.example.com/api", named("api"));
  for (const path of ["", "/api", "/api/x", "/apis", ".org/api"]) {
    qstash.publish({ url: `https://app.example.com${path}`, headers: { "Upstash-Retries": "0" } });
  }
  await qstash.idle();
  qstash.serve("https://app.example.com/api", named("new api"));
  qstash.publish({ url: "https://app.example.com/api" });
  await qstash.idle();
  expect(seen).toEqual(["app", "api", "api", "app", "new api"]);
});

test("calls of the API can be answered by a test, and are on the wire all the same", async () => {
  let refuse = true;
  const qstash = await platform({
    intercept: ({ url, body }) => {
      const isStep = url.endsWith("/v2/batch") && body.includes("stepId");
      if (!isStep || !refuse) return undefined;
      refuse = false;
      return Response.json({ error: "quota" }, { status: 500 });
    },
  });
  served(qstash, async (context) => context.run("one", () => 1));
  const found = await run(qstash);
  await qstash.advance("12s");
  expect(found.result).toBe("1");
  expect(qstash.wire.filter((one) => one.channel === "api").map((one) => one.status)).toEqual([
    200, 500, 200, 200,
  ]);
});

test("the API refuses other tokens, and an endpoint that is not there fails the test", async () => {
  const qstash = await platform();
  expect((await fetch(`${qstash.url}/v2/dlq`, { headers: { authorization: "Bearer other" } })).status).toBe(
    401,
  );
  await qstash.idle();
  await fetch(`${qstash.url}/v2/schedules`, { headers: { authorization: `Bearer ${qstash.token}` } });
  await expect(qstash.idle()).rejects.toMatchObject({ code: "UNSUPPORTED", message: /GET \/v2\/schedules/ });
  await qstash.idle();
});

test("a handler that hangs is an error that names its URL", async () => {
  const qstash = await platform({ requestTimeout: 50 });
  qstash.serve(URL_OF_APP, () => new Promise(() => {}));
  qstash.publish({ url: URL_OF_APP, body: "x" });
  await expect(qstash.idle()).rejects.toMatchObject({ code: "CONFIG", message: /app\.example\.com.*50 ms/ });
});

test("a run that does not end is an error, not a hang", async () => {
  const qstash = await platform();
  qstash.serve(URL_OF_APP, async (request) => {
    const { id } = qstash.runs[0]!;
    const headers = { authorization: `Bearer ${qstash.token}`, "upstash-workflow-runid": id };
    await fetch(`${qstash.url}/v2/publish/${request.url}`, { method: "POST", headers, body: "{}" });
    return new Response("", { headers: { "upstash-workflow-sdk-version": "1" } });
  });
  await clientOf(qstash).trigger({ url: URL_OF_APP });
  await expect(qstash.idle()).rejects.toMatchObject({ code: "UNSUPPORTED", message: /does not end/ });
});

test("deliveries may overlap", async () => {
  const qstash = await platform({ concurrency: 3 });
  let open = 0;
  let goOn = (): void => {};
  const allAreOpen = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  served(qstash, async (context) => {
    await Promise.all(
      ["a", "b", "c"].map((name) =>
        context.run(name, () => {
          open += 1;
          if (open === 3) goOn();
          // One at a time, none would end.
          return allAreOpen;
        }),
      ),
    );
    return "joined";
  });
  expect((await run(qstash)).result).toBe('"joined"');
});

test("wrong options and arguments are refused", async () => {
  for (const options of [{ concurrency: 0 }, { retries: -1 }, { lazyFetchAboveBytes: Number.NaN }]) {
    await expect(platform(options)).rejects.toMatchObject({ code: "CONFIG" });
  }
  const qstash = await platform();
  const wrong = [
    () => qstash.serve("/api", async () => new Response()),
    () => qstash.run("wfr_none"),
    () => qstash.resume("1-1"),
    () => qstash.publish({ url: "not a URL" }),
  ];
  for (const one of wrong) expect(one).toThrow(expect.objectContaining({ code: "CONFIG" }));
  await expect(clientOf(qstash).trigger({ url: "ftp://app.example.com" })).rejects.toThrow(
    "invalid destination",
  );
});

test("a message of the same id or content is taken once in ten minutes", async () => {
  const qstash = await platform();
  qstash.serve(URL_OF_APP, async () => new Response());
  for (const name of ["Upstash-Deduplication-Id", "Upstash-Content-Based-Deduplication"]) {
    const publication = { url: URL_OF_APP, body: "same", headers: { [name]: "true" } };
    const first = qstash.publish(publication);
    expect(qstash.publish(publication)).toBe(first);
    await qstash.advance("11m");
    expect(qstash.publish(publication)).not.toBe(first);
  }
  await qstash.idle();
  expect(qstash.deliveries.length).toBe(4);
});
