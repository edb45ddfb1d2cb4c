import type { ClientOptions, Inngest } from "inngest";
import { createKeyring, generateKey, type Keyring } from "stepseal";
import { createTestEngine, findPlaintext, type TestEngine } from "stepseal/testing";
import { APPROVAL, createApp, MARKERS, ORDER } from "./app.ts";
import { type Act, progress, type Sight } from "./report.ts";
import type { Sdk } from "./sdk.ts";

/** What the demo looks for in everything that left the app. */
export const NEEDLES: readonly string[] = Object.values(MARKERS);

/** A deploy of the app, and of the service beside it that sends the orders: the same options for both. */
type Deploy = Pick<ClientOptions, "middleware">;

/** Keeps the SDK's log of the failing step out of the account. */
export const quiet = { info() {}, warn() {}, error() {}, debug() {} };

/** Runs the app from order to receipt; between the approval and the receipt it can be deployed anew. */
async function play(
  sdk: Sdk,
  first: Deploy,
  afterSleep: Deploy,
): Promise<{ readonly engine: TestEngine; readonly seen: readonly Sight[] }> {
  const engine = createTestEngine();
  const seen = new Map<string, Sight>();
  const deploy = async (options: Deploy): Promise<Inngest> => {
    const client = { ...engine.clientOptions, logger: quiet, ...options };
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
  return { engine, seen: [...seen.values()] };
}

async function act(
  sdk: Sdk,
  title: string,
  notes: readonly string[],
  first: Deploy,
  afterSleep: Deploy,
): Promise<Act> {
  const { engine, seen } = await play(sdk, first, afterSleep);
  const run = engine.runsOf("place-order")[0];
  return {
    title,
    notes,
    seen,
    wire: engine.wire,
    hits: findPlaintext(engine.wire, NEEDLES),
    stored: run?.output,
    storedStep: run?.steps.values().next().value?.data,
    status: run?.status ?? "never started",
  };
}

export function withoutStepseal(sdk: Sdk): Promise<Act> {
  const plain = { middleware: [] };
  return act(sdk, "Act 1. Without stepseal", ["The app as it is."], plain, plain);
}

export function withStepseal(sdk: Sdk): Promise<Act> {
  const sealed = deployWith(sdk, createKeyring({ key: generateKey() }));
  const notes = ["The same app with middleware: [encryptionMiddleware()]."];
  return act(sdk, "Act 2. With stepseal", notes, sealed, sealed);
}

export function withRotation(sdk: Sdk): Promise<Act> {
  const [oldKey, newKey] = [generateKey(), generateKey()];
  const before = createKeyring({ key: oldKey });
  const after = createKeyring({ key: newKey, fallbackKeys: [oldKey] });
  const notes = [
    "The key is rotated while the run is asleep: the next deploy seals with the new key and opens with both.",
    `kid ${before.primary} → ${after.primary}`,
  ];
  return act(
    sdk,
    "Act 3. A rotation while the run sleeps",
    notes,
    deployWith(sdk, before),
    deployWith(sdk, after),
  );
}

function deployWith(sdk: Sdk, keyring: Keyring): Deploy {
  return { middleware: sdk.middleware(keyring) };
}
