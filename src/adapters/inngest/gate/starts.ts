import { DEFERRED_EVENT, INVOKED_EVENT, SCHEDULED_EVENT } from "./event.ts";

/** Names of events by which a function may be started, the last character a star where it stands for all. */
export type StartNames = ReadonlySet<string>;

/**
 * The names of events that start a function with these triggers. What an event is called decides what of it has to be
 * sealed, and the platform calls it what it likes: a name that the function never asked for would switch that off.
 */
export function namesOf(triggers: readonly { readonly event?: string }[]): StartNames {
  const names = new Set(triggers.map(({ event }) => event ?? SCHEDULED_EVENT));
  // Whatever its triggers, a function can be invoked; not so one that is deferred, whose whole input is sealed.
  if (!names.has(DEFERRED_EVENT)) names.add(INVOKED_EVENT);
  return names;
}

/** Whether an event of this name may start a function. */
export function starts(names: StartNames, name: unknown): boolean {
  if (typeof name !== "string") return false;
  return (
    names.has(name) || [...names].some((each) => each.endsWith("*") && name.startsWith(each.slice(0, -1)))
  );
}
