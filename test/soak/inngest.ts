import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createTestEngine, type Run, type TestClientOptions, type TestEngine } from "stepseal/testing";
import { fetched } from "./fetched.ts";
import { bootApp, KINDS, outcomesOf } from "./inngest-app.ts";
import type { Boot, Platform, Process, Sdk } from "./platform.ts";
import { connect, type Plain, plainOf, requestOf, responseOf } from "./rpc.ts";

const CHILD = fileURLToPath(new URL("./inngest-child.ts", import.meta.url));

/** The run a run belongs to: that of the event, of the invocation, or of the run that failed. */
function numberOf({ event }: Run): number {
  const data = event.data as { n?: number; event?: { data: { n: number } } };
  return data.n ?? data.event?.data.n ?? 0;
}

/** Inngest's SDK v4 on the test engine. */
export function inngestSdk(): Sdk {
  let engine: TestEngine;
  let apiFault: () => "lost" | "unanswered" | undefined = () => undefined;
  // The fetch of clients that outlive a platform.
  const network: typeof fetch = async (input, init) => {
    const fault = apiFault();
    if (fault === "lost") throw new TypeError("fetch failed");
    const response = await engine.fetch(input, init);
    if (fault === "unanswered") throw new TypeError("terminated");
    return response;
  };
  const client: TestClientOptions = { ...createTestEngine().clientOptions, fetch: network };
  return {
    kinds: KINDS,
    outcomesOf,
    async open(about): Promise<Platform> {
      engine = createTestEngine({ fault: ({ run, attempt }) => about.fault(numberOf(run), attempt) });
      apiFault = () => undefined;
      await engine.serve(about.handler);
      apiFault = about.apiFault;
      const running = engine;
      return {
        advance: (milliseconds) => running.advance(milliseconds),
        get wire() {
          return running.wire;
        },
        isWaiting: (n) =>
          running.runsOf("order").some((run) => run.status === "running" && numberOf(run) === n),
        async mayMeetAgain(request) {
          const id = JSON.parse(await request.text()).ctx?.run_id;
          return running.runs.some((run) => run.id === id && run.status === "running");
        },
        open: () => running.runs.filter(({ status }) => status === "running").length,
        check(ledger) {
          const seen = new Set<string>();
          for (const run of running.runs) {
            const name = `${run.functionId} of run ${numberOf(run)}`;
            if (seen.has(name)) ledger.problem(`${name} ran twice`);
            seen.add(name);
            const expected = run.functionId === "soak-broken" ? "failed" : "completed";
            if (run.status !== expected) ledger.problem(`${name} is ${run.status}`);
          }
          const sum = (of: (run: Run) => number) => running.runs.reduce((all, run) => all + of(run), 0);
          return {
            runs: running.runs.length,
            requests: sum(({ requests }) => requests),
            retries: sum(({ attempts }) => attempts - 1),
          };
        },
        async close() {},
      };
    },
    async boot(boot): Promise<Process> {
      if (boot.how === "fetches") return bootApp(client, boot, fetched(boot.ring));
      return boot.how === "apart" ? bootChild(client, boot) : bootApp(client, boot);
    },
  };
}

/** A process of the app that is one of the operating system, too. */
async function bootChild(
  { fetch, ...client }: TestClientOptions,
  { ring, seal, checkpointing, witness }: Boot,
): Promise<Process> {
  const child = fork(CHILD, {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const call = connect(child, {
    fetch: async (request: Plain) => plainOf(await fetch(requestOf(request))),
    executed: witness.executed.bind(witness),
    finished: witness.finished.bind(witness),
    refused: witness.refused.bind(witness),
  });
  await call("boot", client, { ring, seal, checkpointing });
  return {
    handle: async (request) => responseOf(await call<Plain>("handle", await plainOf(request))),
    start: (kind, n) => call("start", kind, n),
    pay: (n) => call("pay", n),
    stop: () => void child.kill(),
  };
}
