import { createKeyring, createSealer, generateKey, inspectEnvelope } from "stepseal";
import { describe, expect, test, vi } from "vitest";
import { createFetchGate, runsOf } from "../../../src/adapters/inngest/gate/fetch-gate.ts";
import type { EncryptionMiddlewareOptions } from "../../../src/adapters/inngest/gate/options.ts";
import { resolveOptions } from "../../../src/adapters/inngest/gate/options.ts";
import { triggerDigest } from "../../../src/adapters/inngest/gate/trigger.ts";
import { execute, noteId } from "../../../src/adapters/inngest-v3/execution.ts";
import type { Result } from "../../../src/adapters/inngest-v3/result.ts";
import type { Given, SdkExecution, SdkFunction } from "../../../src/adapters/inngest-v3/sdk.ts";
import { keyring } from "../inngest/keys.ts";

// What is asked through the SDK in other files, asked of the execution itself: also what no SDK in reach does.

const SECRET = "mk96-must-not-leave";
const sealer = createSealer({ keyring: keyring() });
const field = (by = sealer) => by.seal(SECRET, { kind: "event.field", event: "go", field: "encrypted" });
const GO = { name: "go", data: { encrypted: field() } };

interface Setting {
  readonly options?: EncryptionMiddlewareOptions;
  readonly data?: object;
  readonly partial?: object;
  readonly version?: number;
  readonly triggers?: readonly object[] | undefined;
  readonly steps?: Given["partialOptions"]["stepState"];
  readonly servedAs?: string;
  /** What the SDK makes of what it is given. */
  readonly execution?: (given: Given) => object;
}

/** One request, whose function ends with its event. */
function request(setting: Setting = {}) {
  const { data = { event: GO, events: [GO] }, partial, version = 1, steps = {}, servedAs } = setting;
  const said: string[] = [];
  const logger = { error: (text: string) => said.push(text), warn: (text: string) => said.push(text) };
  const client = { id: "app", logger };
  const options = resolveOptions({ keyring: keyring(), ...setting.options });
  createFetchGate(client, options);
  const triggers = "triggers" in setting ? setting.triggers : [{ event: "go" }];
  const fn = { id: (prefix = "") => `${prefix}-fn`, opts: { triggers } } as unknown as SdkFunction;
  if (servedAs !== undefined) noteId(fn, servedAs);
  const tools = { run: vi.fn() };
  const make = vi.fn((given: Given): SdkExecution => {
    const usual = {
      fnArg: { step: tools },
      state: { steps: new Map(), stepState: {}, setCheckpoint: () => {} },
      start: async () => ({ type: "function-resolved", data: given.partialOptions.data.event.data }),
    };
    return { ...usual, ...setting.execution?.(given) } as unknown as SdkExecution;
  });
  const given = {
    version,
    partialOptions: { data: { runId: "01X", ...data }, stepState: steps, ...partial },
  } as unknown as Given;
  const execution = execute(fn, given, make, { client, options });
  return { execution, make, said, client, given, tools };
}

/** What a request is answered with where the run is failed before the function was called. */
async function failure(setting: Setting) {
  const { execution, make, said } = request(setting);
  const { type, retriable, error } = await execution.start();
  expect(type).toBe("function-rejected");
  expect(JSON.stringify([error, said])).not.toContain(SECRET);
  return { retriable, error: error as { message: string; code?: string; cause?: object }, said, make };
}

test("a function is given its events opened, and what it returns leaves sealed, once", async () => {
  const { execution, make, given } = request({ partial: { reqArgs: ["kept"] } });
  const [first, again] = [execution.start(), execution.start()];
  expect(again).toBe(first);
  const { type, data } = await first;
  expect(type).toBe("function-resolved");
  expect(JSON.stringify(data)).not.toContain(SECRET);
  const plain = { name: "go", data: { encrypted: SECRET } };
  expect(make).toHaveBeenCalledExactlyOnceWith({
    ...given,
    partialOptions: {
      ...given.partialOptions,
      data: { runId: "01X", event: plain, events: [plain] },
      stepState: {},
    },
  });
});

test("its steps are opened, by their ids", async () => {
  const place = { fn: "app-fn", run: "01X", parent: triggerDigest(GO) };
  const sealed = sealer.seal(SECRET, { kind: "step.output", step: "a", ...place });
  const input = sealer.seal([SECRET], { kind: "step.input", step: "b", ...place });
  const failed = { name: "Error", message: "timed out", stack: "", __serialized: true };
  const { execution, make } = request({
    steps: {
      a: { id: "a", data: sealed },
      b: { id: "b", input },
      c: { id: "c", error: failed },
    },
  });
  await execution.start();
  expect(make.mock.calls[0]![0].partialOptions.stepState).toEqual({
    a: { id: "a", data: SECRET },
    b: { id: "b", input },
    c: { id: "c", error: failed },
  });
});

describe("what a function returns leaves sealed under the id that it is served as", () => {
  test.each([
    [undefined, "app-fn"],
    ["served-as-fn", "served-as-fn"],
  ])("%s", async (servedAs, fn) => {
    const result = await request({ ...(servedAs !== undefined && { servedAs }) }).execution.start();
    expect(inspectEnvelope(result.data).claims).toMatchObject({ kind: "fn.output", fn, run: "01X" });
  });
});

describe("a run is failed before any code of the user's", () => {
  test("for good, where its input does not open, with our own reason, which is logged", async () => {
    const event = { ...GO, data: { encrypted: 1 } };
    const { retriable, error, said, make } = await failure({ data: { event, events: [event] } });
    expect([retriable, error.message]).toEqual([false, expect.stringContaining("plaintext stands where")]);
    expect(said).toEqual([expect.stringMatching(/^stepseal: a run could not be opened: .*plaintext stands/)]);
    expect(make).not.toHaveBeenCalled();
  });

  test("to be tried again, where a key is missing, which another process may have", async () => {
    const event = {
      ...GO,
      data: { encrypted: field(createSealer({ keyring: createKeyring({ key: generateKey() }) })) },
    };
    for (const decryptOnly of [false, true]) {
      const { retriable, error } = await failure({
        data: { event, events: [event] },
        options: { decryptOnly },
      });
      expect([retriable, error.code]).toEqual([true, "UNKNOWN_KEY"]);
    }
  });

  test("in the wire format of SDK v2", async () => {
    const { retriable, error, make } = await failure({ version: 0 });
    expect(error.cause).toMatchObject({ code: "UNSUPPORTED" });
    expect([retriable, error.message]).toEqual([false, expect.stringContaining("wire format of SDK v2")]);
    expect(make).not.toHaveBeenCalled();
  });

  test("without events, which none of the SDKs does", async () => {
    const { error } = await failure({ data: { event: GO } });
    expect(error.message).toContain("different events");
  });

  test("where it has no triggers, but for what invokes it", async () => {
    for (const name of ["go", "inngest/scheduled.timer"]) {
      const event = { ...GO, name };
      const { error } = await failure({ triggers: undefined, data: { event, events: [event] } });
      expect(error.message).toContain(`an event "${name}" does not start the function "app-fn"`);
    }
  });

  test.each([
    ["no state", { state: undefined }],
    ["a state without steps", { state: { steps: {} } }],
    ["no argument", { fnArg: undefined }],
    ["an argument without tools", { fnArg: {} }],
  ])("in an execution of another form: %s", async (_name, form) => {
    const { retriable, error } = await failure({ execution: () => form });
    expect(error.cause).toMatchObject({ code: "CONFIG" });
    expect([retriable, error.message]).toEqual([false, expect.stringContaining("its form is unknown")]);
  });
});

describe("a request that is not answered counts as failed, to be tried again, and says nothing of why", () => {
  const unanswered = "stepseal: the request failed before it was answered";

  test("where keys do not load", async () => {
    const load = (): never => {
      throw new TypeError(SECRET);
    };
    const { retriable, error, said } = await failure({ options: { keyring: load } });
    expect([retriable, error.message]).toEqual([true, unanswered]);
    expect(said).toEqual([expect.stringMatching(/^stepseal: a request failed before it was answered: /)]);
  });

  test("where the SDK or another middleware throws, as it makes the execution or runs it", async () => {
    const throws = (): never => {
      throw new TypeError(SECRET);
    };
    for (const execution of [throws, () => ({ start: async () => throws() })]) {
      const { retriable, error, said } = await failure({ execution });
      expect([retriable, error.message]).toEqual([true, unanswered]);
      expect(said).toEqual(["stepseal: a request failed before it was answered: TypeError"]);
    }
  });
});

test("a result that cannot be sealed fails the run with our own reason", async () => {
  const ended = (result: Result) => () => ({ start: async () => result });
  const unknown = await failure({ execution: ended({ type: "function-teleported", data: SECRET }) });
  expect(unknown.retriable).toBe(false);
  expect(unknown.error).toMatchObject({
    name: "StepsealError",
    code: "REFUSED",
    message: expect.stringContaining('result of type "function-teleported"'),
  });
  expect(unknown.said).toEqual([
    expect.stringMatching(/^stepseal: a result could not be sealed: .*teleported/),
  ]);
  // What is wrong with it is nothing of ours.
  const broken = Object.defineProperty({ type: "step-ran" }, "step", {
    get: () => {
      throw new TypeError(SECRET);
    },
  });
  const { error, said } = await failure({ execution: ended(broken) });
  expect(error).toMatchObject({ message: "the result could not be sealed" });
  expect(said).toEqual(["stepseal: a result could not be sealed: TypeError"]);
});

test("the tools that a function is given refuse what cannot be sealed, in words that leave readable", async () => {
  const fnArg = { step: { run: () => {}, ai: { infer: () => Promise.resolve("asked") } } };
  const { execution } = request({
    execution: () => ({
      fnArg,
      start: async () => {
        const error: Error = await (fnArg.step.ai.infer as unknown as (id: string) => Promise<never>)(
          "ask",
        ).catch((refusal: Error) => refusal);
        const { name, message } = error;
        const cause = { name: "StepsealError", message, code: "REFUSED" };
        return { type: "function-rejected", retriable: true, error: { name, message, cause } };
      },
    }),
  });
  const { retriable, error } = (await execution.start()) as Result & { error: Error };
  expect([retriable, error.message]).toEqual([
    false,
    expect.stringContaining('allowPlaintext: ["ai-infer"]'),
  ]);
});

describe("while decryptOnly seals nothing", () => {
  const decryptOnly = { options: { decryptOnly: true } } as const;

  test("what a function returns is answered as it is, and its tools are the SDK's own", async () => {
    const fnArg = { step: { run: () => {} } };
    const { step } = fnArg;
    const { execution } = request({ ...decryptOnly, execution: () => ({ fnArg }) });
    expect(await execution.start()).toEqual({ type: "function-resolved", data: { encrypted: SECRET } });
    expect(fnArg.step).toBe(step);
  });
});

test("what a durable endpoint answers whoever called it is none of the platform's", async () => {
  const { execution } = request({ partial: { stepMode: "sync" } });
  expect(await execution.start()).toEqual({ type: "function-resolved", data: { encrypted: SECRET } });
});

test("a run is known while it is executed, and no longer", async () => {
  const seen: unknown[] = [];
  const { execution, client } = request({
    execution: () => ({
      start: async () => {
        seen.push(runsOf(client).get("01X"));
        return { type: "function-resolved", data: 1 };
      },
    }),
  });
  await execution.start();
  seen.push(runsOf(client).get("01X"));
  expect(seen).toEqual([expect.objectContaining({ fn: "app-fn", run: "01X" }), undefined]);
});
