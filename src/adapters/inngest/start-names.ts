import { namesOf, type StartNames } from "./gate/starts.ts";

/** What is used of the SDK's class of functions; private to TypeScript. */
interface Configured {
  getConfig(options: object): readonly { readonly triggers?: readonly { readonly event?: string }[] }[];
}

const known = new WeakMap<object, StartNames>();

/** The names of events that start a function, as it is registered: also of deferred ones, whose trigger stands nowhere else. */
export function startNames(fn: object, clientId: string): StartNames {
  const cached = known.get(fn);
  if (cached !== undefined) return cached;
  const options = { baseUrl: new URL("http://localhost"), appPrefix: clientId };
  const [config] = (fn as Configured).getConfig(options);
  const names = namesOf(config?.triggers ?? []);
  known.set(fn, names);
  return names;
}
