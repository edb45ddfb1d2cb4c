import type { Inngest } from "inngest";
import { createTestEngine } from "stepseal/testing";
import type { Deploy, Engine } from "../acts.ts";
import { progress } from "../report.ts";
import type { Sight } from "../story.ts";
import { APPROVAL, createApp, MARKERS, ORDER } from "./app.ts";
import type { Sdk } from "./sdk.ts";

/** Keeps the SDK's log of the failing step out of the account. */
export const quiet = { info() {}, warn() {}, error() {}, debug() {} };

/** The demo on Inngest, with a version of its SDK. */
export const inngestOn = (sdk: Sdk): Engine => ({
  markers: Object.values(MARKERS),
  change: "middleware: [encryptionMiddleware()]",
  async play(first, afterSleep) {
    const engine = createTestEngine();
    const seen = new Map<string, Sight>();
    const deploy = async (keyring: Deploy): Promise<Inngest> => {
      const middleware = keyring === undefined ? [] : sdk.middleware(keyring);
      const client = { ...engine.clientOptions, logger: quiet, middleware };
      // A resumed function sees its earlier values again: kept once.
      const app = createApp(client, (what, value) => seen.set(what, { what, value }), sdk.client);
      await engine.serve(sdk.serve({ id: "shop", ...client }, app.inngest, app.functions));
      return sdk.client({ id: "shop-front", ...client });
    };

    progress("  the order comes in; risk, fraud and charge run");
    const shop = await deploy(first);
    await shop.send(ORDER);
    await engine.idle();
    progress("  the bank failed once; the charge is tried again");
    await engine.advance("5m");
    progress("  the approval arrives, the child function ships");
    await shop.send(APPROVAL);
    await engine.idle();
    progress("  the run sleeps for a day");
    await deploy(afterSleep);
    await engine.advance("2d");

    const run = engine.runsOf("place-order")[0];
    return {
      seen: [...seen.values()],
      wire: engine.wire,
      stored: run?.output,
      storedStep: run?.steps.values().next().value?.data,
      status: run?.status ?? "never started",
    };
  },
});
