import { DEFERRED_EVENT, INVOKED_EVENT, SCHEDULED_EVENT } from "./event.ts";

/** Names of events by which a function may be started, the last character a star where it stands for all. */
export type StartNames = ReadonlySet<string>;

/** What is used of the SDK's class of functions; private to TypeScript. */
interface Configured {
  getConfig(options: object): readonly { readonly triggers?: readonly { readonly event?: string }[] }[];
}

const known = new WeakMap<object, StartNames>();

/**
 * The names of events that start a function, as it is registered. What an event is called decides what of it has to be
 * sealed, and the platform calls it what it likes: a name that the function never asked for would switch that off.
 */
export function startNames(fn: object, clientId: string): StartNames {
  const cached = known.get(fn);
  if (cached !== undefined) return cached;
  // Also of deferred functions, whose trigger stands nowhere else.
  const options = { baseUrl: new URL("http://localhost"), appPrefix: clientId };
  const [config] = (fn as Configured).getConfig(options);
  const names = new Set(config?.triggers?.map(({ event }) => event ?? SCHEDULED_EVENT));
  // Whatever its triggers, a function can be invoked; not so one that is deferred, whose whole input is sealed.
  if (!names.has(DEFERRED_EVENT)) names.add(INVOKED_EVENT);
  known.set(fn, names);
  return names;
}

/** Whether an event of this name may start a function. */
export function starts(names: StartNames, name: unknown): boolean {
  if (typeof name !== "string") return false;
  return (
    names.has(name) || [...names].some((each) => each.endsWith("*") && name.startsWith(each.slice(0, -1)))
  );
}
