// Imported before everything else, so that what is drawn while a package is loaded is counted. Workers forbid it.

let draws = 0;

function count(holder: object, name: string): void {
  const original = Reflect.get(holder, name) as (...args: unknown[]) => unknown;
  Object.defineProperty(holder, name, {
    configurable: true,
    writable: true,
    value: (...args: unknown[]) => {
      draws++;
      return original.apply(holder, args);
    },
  });
}

count(crypto, "getRandomValues");
count(crypto, "randomUUID");
count(Math, "random");

/** How often randomness was asked for so far. */
export const randomDraws = (): number => draws;
