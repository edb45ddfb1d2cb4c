import type { TestClientOptions } from "stepseal/testing";
import { bootApp } from "./inngest-app.ts";
import type { Boot, Process } from "./platform.ts";
import { connect, type Plain, plainOf, requestOf, responseOf } from "./rpc.ts";

// A process of the app with nothing of its parent's memory: what it does and calls goes over to the parent.
let app: Process;
const call = connect(process, {
  boot(client: Omit<TestClientOptions, "fetch">, boot: Pick<Boot, "ring" | "seal" | "checkpointing">) {
    app = bootApp(
      {
        ...client,
        fetch: async (input, init) =>
          responseOf(await call<Plain>("fetch", await plainOf(new Request(input, init)))),
      },
      {
        ...boot,
        witness: {
          executed: (...args) => void call("executed", ...args),
          finished: (...args) => void call("finished", ...args),
          refused: (...args) => void call("refused", ...args),
        },
      },
    );
  },
  handle: async (request: Plain) => plainOf(await app.handle(requestOf(request))),
  start: (kind: string, n: number) => app.start(kind, n),
  pay: (n: number) => app.pay(n),
});
process.on("disconnect", () => process.exit());
