/** Has `note` see everything that goes to the console, to a spy in its place too, and to standard output and error. */
export function watchConsole(note: (...parts: unknown[]) => void): void {
  globalThis.console = new Proxy(console, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member === "function" ? noting(member as Method, note) : member;
    },
  });
  for (const stream of [process.stdout, process.stderr])
    stream.write = noting(stream.write as Method, note) as never;
}

type Method = (...args: unknown[]) => unknown;

const made = new WeakMap<Method, Method>();

/** One for each method, so that a spy is the same whenever it is looked at. */
function noting(method: Method, note: (...parts: unknown[]) => void): Method {
  const known = made.get(method);
  if (known !== undefined) return known;
  const proxy = new Proxy(method, {
    apply(target, self, args) {
      note(...args);
      return Reflect.apply(target, self, args);
    },
  });
  made.set(method, proxy);
  return proxy;
}
