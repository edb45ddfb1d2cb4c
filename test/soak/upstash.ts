import { createTestQstash, type QstashRun } from "stepseal/testing";
import { vi } from "vitest";
import { fetched } from "./fetched.ts";
import type { Platform, Process, Sdk } from "./platform.ts";
import { type Account, bootApp, KINDS, ORIGIN, outcomesOf } from "./upstash-app.ts";

/** Where the clients of all platforms think that these are. */
const HOST = "http://qstash.test";
const ID = /^wfr_soak-(\d+)-(.*)$/;

const numberOf = (runId: string | undefined): number => Number(ID.exec(runId ?? "")?.[1] ?? 0);

/** Upstash Workflow's SDK on the test QStash. */
export async function upstashSdk(): Promise<Sdk> {
  const first = await createTestQstash();
  const { token, signingKeys } = first;
  await first.close();
  const account: Account = { url: HOST, token, signingKeys };
  return {
    kinds: KINDS,
    outcomesOf,
    async open(about): Promise<Platform> {
      const qstash = await createTestQstash({
        fault: ({ runId, attempt }) => about.fault(numberOf(runId), attempt),
      });
      qstash.serve(ORIGIN, about.handler);
      // The SDK calls its platform with the global fetch.
      const real = globalThis.fetch;
      globalThis.fetch = async (input, init) => {
        const fault = about.apiFault();
        if (fault === "lost") throw new TypeError("fetch failed");
        const response = await real(String(input).replace(HOST, qstash.url), init);
        if (fault !== "unanswered") return response;
        await response.arrayBuffer();
        throw new TypeError("terminated");
      };
      return {
        advance: (milliseconds) => qstash.advance(milliseconds),
        get wire() {
          return qstash.wire;
        },
        isWaiting: (n) =>
          qstash.runs.some((run) => run.id === `wfr_soak-${n}-order` && run.state === "RUN_STARTED") &&
          qstash.run(`wfr_soak-${n}-order`).journal.some(({ body }) => stepNameOf(body) === "ship"),
        async mayMeetAgain(request) {
          const id = request.headers.get("upstash-workflow-runid");
          return qstash.runs.some((run) => run.id === id && run.state === "RUN_STARTED");
        },
        open: () => qstash.runs.filter(isOpen).length,
        check(ledger) {
          const times = new Map<string, number>();
          for (const { id, state, failureCallback } of qstash.runs) {
            times.set(id, (times.get(id) ?? 0) + 1);
            const failed = id.endsWith("-broken");
            if (state !== (failed ? "RUN_FAILED" : "RUN_SUCCESS")) ledger.problem(`${id} is ${state}`);
            if (failed && failureCallback !== "CALLBACK_SUCCESS") ledger.problem(`${id}: ${failureCallback}`);
          }
          for (const [id, count] of times) {
            const excuses = id.endsWith("-ship") ? ledger.excusesOf(numberOf(id)) : 0;
            if (count > 1 + excuses) ledger.problem(`${id} ran ${count} times`);
          }
          return {
            runs: qstash.runs.length,
            requests: qstash.deliveries.length,
            retries: qstash.deliveries.filter(({ attempt }) => attempt > 0).length,
          };
        },
        async close() {
          globalThis.fetch = real;
          await qstash.close();
        },
      };
    },
    async boot(boot): Promise<Process> {
      if (boot.how === "fetches") return bootApp(account, boot, fetched(boot.ring));
      if (boot.how === "here") return bootApp(account, boot);
      // All modules that are not packages are loaded anew.
      vi.resetModules();
      const anew: typeof import("./upstash-app.ts") = await import("./upstash-app.ts");
      return anew.bootApp(account, boot);
    },
  };
}

const isOpen = ({ state, failureCallback }: QstashRun): boolean =>
  state === "RUN_STARTED" || failureCallback === "CALLBACK_INPROGRESS";

const stepNameOf = (body: string): string | undefined => {
  try {
    return JSON.parse(Buffer.from(body, "base64").toString()).stepName;
  } catch {
    return undefined;
  }
};
