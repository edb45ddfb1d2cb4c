import { createKeyring, generateKey, type Keyring } from "stepseal";
import { findPlaintext, type PlaintextHit, type WireEntry } from "stepseal/testing";
import type { Sight } from "./story.ts";

/** A deploy of the app, and of the service beside it that sends the orders: under a keyring, or without stepseal. */
export type Deploy = Keyring | undefined;

/** What is there when the order is through. */
export interface Played {
  readonly seen: readonly Sight[];
  /** Everything that left the app. */
  readonly wire: readonly WireEntry[];
  /** The run's result as the platform stored it. */
  readonly stored: unknown;
  /** The result of its first step, likewise. */
  readonly storedStep: unknown;
  /** `completed`, or what became of the run instead. */
  readonly status: string;
}

/** What one act showed. */
export interface Act extends Played {
  readonly title: string;
  /** Lines of explanation, above the account. */
  readonly notes: readonly string[];
  readonly hits: readonly PlaintextHit[];
}

/** How many of the markers the platform found in an act. */
export function found({ hits }: Act): number {
  return new Set(hits.map(({ needle }) => needle)).size;
}

/** A platform with the app on it. */
export interface Engine {
  /** What the demo looks for in everything that left the app. */
  readonly markers: readonly string[];
  /** What stepseal changes in the app, as its code says it. */
  readonly change: string;
  /** Runs the app from order to receipt; while the run sleeps it is deployed anew. */
  play(first: Deploy, afterSleep: Deploy): Promise<Played>;
}

async function act(
  { markers, play }: Engine,
  title: string,
  notes: readonly string[],
  first: Deploy,
  afterSleep: Deploy,
): Promise<Act> {
  const played = await play(first, afterSleep);
  return { title, notes, ...played, hits: findPlaintext(played.wire, markers) };
}

export function withoutStepseal(engine: Engine): Promise<Act> {
  return act(engine, "Act 1. Without stepseal", ["The app as it is."], undefined, undefined);
}

export function withStepseal(engine: Engine): Promise<Act> {
  const keyring = createKeyring({ key: generateKey() });
  const notes = [`The same app with ${engine.change}.`];
  return act(engine, "Act 2. With stepseal", notes, keyring, keyring);
}

export function withRotation(engine: Engine): Promise<Act> {
  const [oldKey, newKey] = [generateKey(), generateKey()];
  const before = createKeyring({ key: oldKey });
  const after = createKeyring({ key: newKey, fallbackKeys: [oldKey] });
  const notes = [
    "The key is rotated while the run is asleep: the next deploy seals with the new key and opens with both.",
    `kid ${before.primary} → ${after.primary}`,
  ];
  return act(engine, "Act 3. A rotation while the run sleeps", notes, before, after);
}
