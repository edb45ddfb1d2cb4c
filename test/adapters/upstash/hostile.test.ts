import type { WorkflowContext } from "@upstash/workflow";
import { createWorkflow } from "@upstash/workflow/nextjs";
import { createKeyring, createSealer } from "stepseal";
import type { QstashDelivery } from "stepseal/testing";
import { describe, expect, it } from "vitest";
import { type App, BASE, createApp, fromBase64, KEY, toBase64, type Workflows } from "./harness.ts";

// The platform itself is hostile here: it signs what it sends.

type Entry = { messageId: string; body: string; callType: string };
type Step = Record<string, unknown>;

/** What the workflow got to see, and nothing that was forged is ever in it. */
let saw: unknown[] = [];
const FORGED = "forged";

/** An order that is charged, shipped, and told of, with two steps of one name. */
function shop(): Workflows {
  const child = createWorkflow(async (context: WorkflowContext<string>) => {
    const priced = await context.run("price", () => `price of ${context.requestPayload}`);
    return priced;
  });
  const options = {
    failureFunction: ({
      failResponse,
      failStatus,
      failHeaders,
      context,
    }: {
      failResponse: string;
      failStatus: number;
      failHeaders: object;
      context: { requestPayload: unknown; url: string; workflowRunId: string };
    }) => {
      const { requestPayload, url, workflowRunId } = context;
      saw.push(["failure", failResponse, requestPayload, { url, workflowRunId, failStatus, failHeaders }]);
    },
  };
  const order = createWorkflow(async (context: WorkflowContext<{ order: string; fail?: boolean }>) => {
    const { order: id, fail } = context.requestPayload;
    saw.push(["payload", id]);
    saw.push(["charge", await context.run("charge", () => `charged ${id}`)]);
    saw.push(["again", await context.run("again", () => `first ${id}`)]);
    saw.push(["again", await context.run("again", () => `second ${id}`)]);
    if (fail) throw new Error(`failed ${id}`);
    saw.push(["invoke", await context.invoke("price it", { workflow: child, body: id, retries: 0 })]);
    saw.push(["wait", await context.waitForEvent("paid", `paid-${id}`, { timeout: "1h" })]);
    saw.push(["done", id]);
  }, options);
  const other = createWorkflow(async (context: WorkflowContext<{ order: string }>) => {
    saw.push(["other", context.requestPayload]);
    await context.run("charge", () => 1);
  }, options);
  return { order, other, child };
}

/** The journal that a delivery carries, edited. */
function edit(delivery: QstashDelivery, change: (entries: Entry[]) => Entry[] | undefined): void {
  const entries = JSON.parse(delivery.body) as Entry[];
  delivery.body = JSON.stringify(change(entries) ?? entries);
}

function editStep(entry: Entry | undefined, change: (step: Step) => Step | undefined): void {
  if (entry === undefined) throw new Error("there is no such step");
  const step = JSON.parse(fromBase64(entry.body)) as Step;
  entry.body = toBase64(JSON.stringify(change(step) ?? step));
}

/** The number of the step that an entry is the result of. */
const numberOf = ({ body }: Entry): unknown => (JSON.parse(fromBase64(body)) as Step).stepId;
const at = (entries: Entry[], number: number): Entry => {
  const found = entries.slice(1).find((entry) => numberOf(entry) === number);
  if (found === undefined) throw new Error(`there is no step ${number}`);
  return found;
};

/** An attack on the result of one step. */
const onStep =
  (number: number, change: (step: Step) => Step | undefined) =>
  (delivery: QstashDelivery): void =>
    edit(delivery, (entries) => {
      editStep(at(entries, number), change);
      return undefined;
    });

/** A whole honest run of another order, whose journal the attacker has kept. */
async function kept(app: App, body: object = { order: "theirs" }): Promise<Entry[]> {
  const run = await app.trigger("order", body, { retries: 0 });
  await app.qstash.idle();
  await app.client.notify({ eventId: "paid-theirs", eventData: { by: "theirs" } });
  await app.qstash.advance("2h");
  saw = [];
  return app.qstash.run(run).journal.map((entry) => ({ ...entry }));
}

interface Attack {
  readonly name: string;
  /** When the delivery has that many entries, the attack is made. */
  readonly when: number;
  readonly attack: (delivery: QstashDelivery, context: { kept: Entry[]; app: App }) => void;
  /** Codes of which the refusal has one. */
  readonly code: string;
}

const sealer = createSealer({ keyring: createKeyring({ key: KEY }) });
const envelope = (value: unknown): string =>
  JSON.stringify(sealer.seal(value, { kind: "custom", name: "anything an app may seal" }));

// Entries: payload, charge, again, again, price it, paid.
const ATTACKS: Attack[] = [
  {
    name: "swaps the results of two steps",
    when: 4,
    attack: (delivery) =>
      edit(delivery, (entries) => {
        const [one, two] = [at(entries, 1), at(entries, 2)];
        const outs = [one, two].map((entry) => (JSON.parse(fromBase64(entry.body)) as Step).out);
        editStep(one, (step) => ({ ...step, out: outs[1] }));
        editStep(two, (step) => ({ ...step, out: outs[0] }));
        return undefined;
      }),
    code: "CONTEXT",
  },
  {
    name: "swaps two steps of one name, whole",
    when: 4,
    attack: (delivery) =>
      edit(delivery, ([payload, charge, first, second]) => [payload, charge, second, first] as Entry[]),
    code: "CONTEXT",
  },
  {
    name: "replays a step of another run of the workflow",
    when: 2,
    attack: (delivery, { kept }) =>
      edit(delivery, (entries) => [entries[0], ...entries.slice(1, -1), at(kept, 1)] as Entry[]),
    code: "CONTEXT",
  },
  {
    name: "renames a step",
    when: 3,
    attack: (delivery) =>
      edit(delivery, (entries) => {
        editStep(at(entries, 2), (step) => ({ ...step, stepName: "charge" }));
        editStep(at(entries, 1), (step) => ({ ...step, stepName: "again" }));
        return undefined;
      }),
    code: "CONTEXT",
  },
  {
    name: "gives a step another number",
    when: 4,
    attack: (delivery) =>
      edit(delivery, (entries) => {
        const [first, second] = [at(entries, 2), at(entries, 3)];
        editStep(first, (step) => ({ ...step, stepId: 3 }));
        editStep(second, (step) => ({ ...step, stepId: 2 }));
        return undefined;
      }),
    code: "CONTEXT",
  },
  {
    name: "gives a step another type",
    when: 2,
    attack: onStep(1, (step) => ({ ...step, stepType: "Notify" })),
    code: "CONTEXT",
  },
  {
    name: "splices the payload of another run onto the steps of this one",
    when: 2,
    attack: (delivery, { kept }) => edit(delivery, (entries) => [kept[0], ...entries.slice(1)] as Entry[]),
    code: "CONTEXT",
  },
  {
    name: "puts plaintext where a result was",
    when: 2,
    attack: onStep(1, (step) => ({ ...step, out: JSON.stringify(FORGED) })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "puts null where a result was",
    when: 2,
    attack: onStep(1, (step) => ({ ...step, out: "null" })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "takes a result away",
    when: 2,
    attack: onStep(1, ({ out: _, ...step }) => step),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "says that a result is only the plan of a step",
    when: 4,
    attack: onStep(1, (step) => ({ ...step, targetStep: 1 })),
    code: "FORMAT",
  },
  {
    name: "puts an envelope of the app's there that was sealed for something else",
    when: 2,
    attack: onStep(1, (step) => ({ ...step, out: envelope(FORGED) })),
    code: "CONTEXT",
  },
  {
    name: "alters a byte of a result",
    when: 2,
    attack: onStep(1, (step) => {
      const out = JSON.parse(String(step.out)) as { data: string };
      const end = out.data.at(-9) === "A" ? "B" : "A";
      out.data = out.data.slice(0, -9) + end + out.data.slice(-8);
      return { ...step, out: JSON.stringify(out) };
    }),
    code: "CORRUPT",
  },
  {
    name: "starts the workflow with a plaintext payload",
    when: 1,
    attack: (delivery) =>
      edit(delivery, ([payload]) => [
        { ...payload, body: toBase64(JSON.stringify({ order: FORGED })) } as Entry,
      ]),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "starts the workflow with the payload of another one",
    when: 1,
    attack: (delivery) => {
      delivery.url = `${BASE}other`;
    },
    code: "CONTEXT",
  },
  {
    name: "gives an invocation the result of another run's",
    when: 5,
    attack: (delivery, { kept }) =>
      edit(delivery, (entries) => [...entries.slice(0, -1), at(kept, 4)] as Entry[]),
    code: "CONTEXT",
  },
  {
    name: "makes up the result of an invocation",
    when: 5,
    attack: onStep(4, (step) => ({
      ...step,
      out: JSON.stringify({ body: JSON.stringify(FORGED), isCanceled: false, isFailed: false }),
    })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "says that an invocation failed, and with what",
    when: 5,
    attack: onStep(4, (step) => ({
      ...step,
      out: JSON.stringify({ body: JSON.stringify(FORGED), isCanceled: false, isFailed: true }),
    })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "says that an invocation returned nothing",
    when: 5,
    attack: onStep(4, (step) => ({
      ...step,
      out: JSON.stringify({ body: null, isCanceled: false, isFailed: false }),
    })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "gives an invocation a result that is no object",
    when: 5,
    attack: onStep(4, (step) => ({ ...step, out: JSON.stringify([FORGED]) })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "gives a wait a text for whether it timed out",
    when: 6,
    attack: onStep(5, (step) => ({ ...step, waitTimeout: FORGED })),
    code: "FORMAT",
  },
  {
    name: "makes up an event",
    when: 6,
    attack: onStep(5, (step) => ({ ...step, out: toBase64(JSON.stringify(FORGED)) })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "says that an event came without data",
    when: 6,
    attack: onStep(5, ({ out: _, ...step }) => ({ ...step, waitTimeout: false })),
    code: "PLAINTEXT_REJECTED",
  },
  {
    name: "says that an event came, and that this is only the plan of a wait",
    when: 6,
    attack: (delivery) =>
      edit(delivery, (entries) => {
        const wait = at(entries, 5);
        const after = { ...wait, messageId: "later" };
        editStep(wait, ({ out: _, ...step }) => ({ ...step, waitTimeout: false, targetStep: 5 }));
        editStep(after, (step) => ({
          ...step,
          stepId: 6,
          stepName: "x",
          stepType: "SleepFor",
          out: undefined,
        }));
        return [...entries, after];
      }),
    code: "FORMAT",
  },
  {
    name: "says that a wait timed out, and gives it data",
    when: 6,
    attack: (delivery) =>
      edit(delivery, (entries) => {
        const out = toBase64(JSON.stringify(FORGED));
        editStep(at(entries, 5), (step) => ({ ...step, waitTimeout: true, out }));
        return undefined;
      }),
    code: "FORMAT",
  },
  {
    name: "says that a wait timed out, and gives it the event",
    when: 6,
    attack: onStep(5, (step) => ({ ...step, waitTimeout: true })),
    code: "FORMAT",
  },
  {
    name: "gives a wait an event of another id",
    when: 6,
    attack: (delivery, { kept }) =>
      edit(delivery, (entries) => {
        const { out } = JSON.parse(fromBase64(at(kept, 5).body)) as Step;
        editStep(at(entries, 5), (step) => ({ ...step, out }));
        return undefined;
      }),
    code: "CONTEXT",
  },
  {
    name: "hides an event of another id behind the right one",
    when: 6,
    attack: (delivery, { kept }) =>
      edit(delivery, (entries) => {
        const { out } = JSON.parse(fromBase64(at(kept, 5).body)) as Step;
        const right = at(entries, 5);
        const wrong = { ...right };
        editStep(wrong, (step) => ({ ...step, out }));
        const after = { ...right, messageId: "later" };
        editStep(after, (step) => ({
          ...step,
          stepId: 6,
          stepName: "x",
          stepType: "SleepFor",
          out: undefined,
        }));
        return [...entries.slice(0, -1), wrong, right, after];
      }),
    code: "CONTEXT",
  },
  {
    name: "sends a state that is none",
    when: 2,
    attack: (delivery) => {
      delivery.body = "null";
    },
    code: "FORMAT",
  },
  {
    name: "sends a state that is none, nor JSON",
    when: 2,
    attack: (delivery) => {
      delivery.body = "{";
    },
    code: "FORMAT",
  },
  {
    name: "sends a step that is none",
    when: 2,
    attack: (delivery) =>
      edit(delivery, (entries) => [
        ...entries.slice(0, -1),
        { ...entries[1], body: toBase64("null") } as Entry,
      ]),
    code: "FORMAT",
  },
  {
    name: "sends a step without a number",
    when: 2,
    attack: onStep(1, ({ stepId: _, ...step }) => step),
    code: "FORMAT",
  },
  {
    name: "sends a step without a name",
    when: 2,
    attack: onStep(1, ({ stepName: _, ...step }) => step),
    code: "FORMAT",
  },
  {
    name: "sends a type of step that nobody knows",
    when: 2,
    attack: onStep(1, (step) => ({ ...step, stepType: "Teleport" })),
    code: "REFUSED",
  },
  {
    name: "says that a state is the answer of a third party",
    when: 2,
    attack: (delivery) => {
      delivery.headers["upstash-workflow-callback"] = "true";
    },
    code: "REFUSED",
  },
  {
    name: "says that a request is two things at once",
    when: 2,
    attack: (delivery) => {
      delivery.headers["upstash-workflow-callback"] = "true";
      delivery.headers["upstash-workflow-is-failure"] = "true";
    },
    code: "FORMAT",
  },
];

describe("a platform that", () => {
  for (const fetched of [false, true]) {
    const attacks = ATTACKS.filter(
      ({ name }) => !fetched || !/third party|two things|another one|state that is none/.test(name),
    );
    it.each(attacks)(
      `$name is refused (${fetched ? "state that is fetched" : "state in the request"})`,
      async (attack) => {
        saw = [];
        let keptEntries: Entry[] | undefined;
        let made = 0;
        const app: App = await createApp(shop(), {
          ...(fetched && {
            lazyFetchAboveBytes: 0,
            intercept: (request) => {
              // The SDK asks for the state: what it gets is edited like a delivery.
              const run =
                keptEntries &&
                /GET .*\/v2\/workflows\/runs\/([^/?]+)$/.exec(`${request.method} ${request.url}`)?.[1];
              if (!run || !keptEntries) return undefined;
              const entries = app.qstash.run(run).journal;
              if (entries.length !== attack.when) return undefined;
              const delivery = {
                url: app.qstash.run(run).url,
                headers: {},
                body: JSON.stringify(entries),
              } as QstashDelivery;
              attack.attack(delivery, { kept: keptEntries, app });
              made++;
              return new Response(delivery.body);
            },
          }),
          onDeliver: (delivery) => {
            if (fetched || keptEntries === undefined || delivery.kind !== "step") return;
            if (!delivery.url.endsWith("/order") || !delivery.body.startsWith("[")) return;
            if ((JSON.parse(delivery.body) as Entry[]).length !== attack.when) return;
            attack.attack(delivery, { kept: keptEntries, app });
            made++;
          },
        });
        keptEntries = await kept(app);
        const run = await app.trigger("order", { order: "mine" }, { retries: 0 });
        await app.qstash.idle();
        if (attack.when === 6) await app.client.notify({ eventId: "paid-mine", eventData: { by: "mine" } });
        await app.qstash.idle();

        expect(made).toBe(1);
        const dead = app.qstash.dlq.at(-1);
        expect([dead?.responseStatus, dead?.responseHeader["Stepseal-Error"]]).toEqual([489, [attack.code]]);
        expect(app.qstash.run(run).state).toBe("RUN_FAILED");
        // What the function saw is what its own run made, in order, and it came no further.
        const text = JSON.stringify((saw as [string][]).filter(([kind]) => kind !== "failure"));
        expect(JSON.stringify(saw)).not.toContain(FORGED);
        expect(text).not.toContain("theirs");
        expect((saw as [string][]).filter(([kind]) => kind === "done")).toEqual([]);
        for (const [kind, value] of saw as [string, unknown][]) {
          if (kind === "failure") continue;
          expect(["mine", "charged mine", "first mine", "second mine", "price of mine"]).toContain(
            kind === "invoke" ? (value as { body: string }).body : value,
          );
        }
      },
    );
  }

  it("swaps the results of two invocations of one run is refused", async () => {
    const results: unknown[] = [];
    let made = 0;
    const child = createWorkflow(async (context: WorkflowContext<string>) => {
      await context.run("child", () => 1);
      return `answer to ${context.requestPayload}`;
    });
    const app = await createApp(
      {
        child,
        asks: createWorkflow(async (context) => {
          results.push((await context.invoke("ask", { workflow: child, body: "one" })).body);
          results.push((await context.invoke("ask", { workflow: child, body: "two" })).body);
        }),
      },
      {
        onDeliver: (delivery) => {
          if (!delivery.url.endsWith("/asks") || !delivery.body.startsWith("[")) return;
          edit(delivery, (entries) => {
            if (entries.length !== 3) return undefined;
            const outs = [1, 2].map((number) => JSON.parse(fromBase64(at(entries, number).body)).out);
            editStep(at(entries, 1), (step) => ({ ...step, out: outs[1] }));
            editStep(at(entries, 2), (step) => ({ ...step, out: outs[0] }));
            made++;
            return undefined;
          });
        },
      },
    );
    await app.trigger("asks", undefined, { retries: 0 });
    await app.qstash.idle();
    expect(made).toBe(1);
    expect(app.qstash.dlq.at(-1)?.responseHeader["Stepseal-Error"]).toEqual(["CONTEXT"]);
    expect(new Set(results)).toEqual(new Set(["answer to one"]));
  });

  it("gives a sleep a result has it left out", async () => {
    const results: unknown[] = [];
    let made = 0;
    const app = await createApp(
      {
        sleeps: createWorkflow(async (context) => {
          results.push(await context.sleep("nap", 60));
          results.push(await context.sleepUntil("until", new Date(0)));
          await context.run("last", () => 1);
        }),
      },
      {
        onDeliver: (delivery) => {
          if (!delivery.body.startsWith("[")) return;
          edit(delivery, (entries) => {
            for (const entry of entries.slice(1)) {
              editStep(entry, (step) => {
                if (!String(step.stepType).startsWith("Sleep")) return step;
                made++;
                return { ...step, out: JSON.stringify(FORGED) };
              });
            }
            return undefined;
          });
        },
      },
    );
    const run = await app.trigger("sleeps");
    await app.qstash.advance("2m");
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(made).toBeGreaterThan(0);
    expect(new Set(results)).toEqual(new Set([undefined]));
  });

  it("says more of an invocation than how it ended has that left out, and nothing else", async () => {
    saw = [];
    const app = await createApp(shop(), {
      onDeliver: (delivery) => {
        if (!delivery.url.endsWith("/order") || !delivery.body.startsWith("[")) return;
        edit(delivery, (entries) => {
          if (entries.length !== 5) return undefined;
          editStep(at(entries, 4), (step) => {
            const out = { ...JSON.parse(String(step.out)), note: FORGED };
            return { ...step, out: JSON.stringify(out) };
          });
          return undefined;
        });
      },
    });
    await app.trigger("order", { order: "mine" });
    await app.qstash.idle();
    expect(saw.filter((entry) => (entry as string[])[0] === "invoke")).toEqual([
      ["invoke", { body: "price of mine", isCanceled: false, isFailed: false }],
    ]);
  });

  it("does none of this has every order done", async () => {
    saw = [];
    const app = await createApp(shop());
    const run = await app.trigger("order", { order: "mine" });
    await app.qstash.idle();
    await app.client.notify({ eventId: "paid-mine", eventData: { by: "mine" } });
    await app.qstash.idle();
    expect(app.qstash.run(run).state).toBe("RUN_SUCCESS");
    expect(saw.at(-1)).toEqual(["done", "mine"]);
  });
});

describe("a failure that", () => {
  const failures: { name: string; forge: (failure: Step, kept: Step) => void; sees: RegExp | null }[] = [
    {
      name: "is another run's",
      forge: (failure, kept) => {
        failure.body = kept.body;
      },
      sees: null,
    },
    {
      name: "is another run's, with that run's payload",
      forge: (failure, kept) => {
        failure.body = kept.body;
        failure.sourceBody = kept.sourceBody;
      },
      // Whole, and authentic: that other run did fail so.
      sees: /failed theirs/,
    },
    {
      name: "is of another workflow",
      forge: (failure) => {
        failure.url = `${BASE}other`;
      },
      sees: null,
    },
    {
      name: "has a payload that is not sealed",
      forge: (failure) => {
        failure.sourceBody = toBase64(JSON.stringify({ order: FORGED }));
      },
      sees: null,
    },
    {
      name: "was altered",
      forge: (failure) => {
        const text = fromBase64(String(failure.body));
        const data = JSON.parse(text).data as string;
        failure.body = toBase64(
          text.replace(data, data.slice(0, -9) + (data.at(-9) === "A" ? "B" : "A") + data.slice(-8)),
        );
      },
      sees: null,
    },
    {
      name: "is made up",
      forge: (failure) => {
        failure.body = toBase64(JSON.stringify({ error: "Error", message: FORGED, stack: FORGED }));
      },
      sees: /^\[platform\] /,
    },
    {
      name: "is made up, and has data like an envelope",
      forge: (failure) => {
        failure.body = toBase64(JSON.stringify({ data: FORGED }));
      },
      sees: /^\[platform\] /,
    },
    {
      name: "has another thing than a status",
      forge: (failure) => {
        failure.status = { forged: FORGED };
      },
      sees: null,
    },
    {
      name: "has a text for its status",
      forge: (failure) => {
        failure.status = FORGED;
      },
      sees: null,
    },
    {
      name: "has headers that are none",
      forge: (failure) => {
        failure.header = { [FORGED]: { forged: FORGED } };
      },
      sees: null,
    },
    {
      name: "has an id that is none",
      forge: (failure) => {
        failure.workflowRunId = [FORGED];
      },
      sees: null,
    },
    {
      name: "says that the app is elsewhere",
      forge: (failure) => {
        failure.url = "https://forged.example.com/workflows/order?x=1";
      },
      sees: /^failed mine$/,
    },
    {
      name: "is null",
      forge: (failure) => {
        failure.body = toBase64("null");
      },
      sees: /^\[platform\] /,
    },
  ];

  it.each(failures)("$name does not reach the failure function as the run's own", async ({ forge, sees }) => {
    saw = [];
    let keptFailure: Step | undefined;
    let attacks = false;
    let forged = 0;
    const app = await createApp(shop(), {
      onDeliver: (delivery) => {
        if (delivery.kind !== "failure") return;
        const failure = JSON.parse(delivery.body) as Step;
        if (!attacks) keptFailure = failure;
        else if (keptFailure !== undefined) {
          forge(failure, keptFailure);
          delivery.body = JSON.stringify(failure);
          forged += 1;
        }
      },
    });
    await app.trigger("order", { order: "theirs", fail: true }, { retries: 0 });
    await app.qstash.idle();
    expect(saw.at(-1)).toEqual([
      "failure",
      "failed theirs",
      { order: "theirs", fail: true },
      expect.objectContaining({ url: `${BASE}order`, failStatus: 500 }),
    ]);

    saw = [];
    attacks = true;
    await app.trigger("order", { order: "mine", fail: true }, { retries: 0 });
    await app.qstash.advance("1d");
    const told = saw.filter((entry) => (entry as string[])[0] === "failure") as [string, string, unknown][];
    expect(forged).toBeGreaterThan(0);
    if (sees === null) expect(told).toEqual([]);
    else expect(told[0]?.[1]).toMatch(sees);
    const answers = app.qstash.deliveries
      .filter(({ kind }) => kind === "failure")
      .map(({ status }) => status);
    expect(answers.at(-1)).toBe(sees === null ? 489 : 200);
    expect(JSON.stringify(saw)).not.toContain(FORGED);
  });

  it("nobody sealed is refused altogether, where the app says so", async () => {
    saw = [];
    const app = await createApp(shop(), {
      seal: { plaintextFrom: { platformFailures: false } },
      onDeliver: (delivery) => {
        if (delivery.kind !== "failure") return;
        delivery.body = JSON.stringify({ ...JSON.parse(delivery.body), body: toBase64("Gateway Timeout") });
      },
    });
    await app.trigger("order", { order: "mine", fail: true }, { retries: 0 });
    await app.qstash.advance("1d");
    expect(saw.filter((entry) => (entry as string[])[0] === "failure")).toEqual([]);
  });
});
