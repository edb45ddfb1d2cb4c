import fc from "fast-check";

/** A change of a list of units, of which a text or bytes are made. */
type Change<Unit> = (units: readonly Unit[], other: readonly Unit[]) => Unit[];

/** One change of any of the kinds there are; `other` is what pieces are taken from. */
function change<Unit>(unit: fc.Arbitrary<Unit>): fc.Arbitrary<Change<Unit>> {
  const place = fc.nat();
  const at = (units: readonly Unit[], where: number): number => where % (units.length + 1);
  return fc.oneof(
    fc.tuple(place, unit).map(
      ([where, by]): Change<Unit> =>
        (all) =>
          all.with(where % all.length || 0, by),
    ),
    fc.tuple(place, unit).map(
      ([where, by]): Change<Unit> =>
        (all) =>
          all.toSpliced(at(all, where), 0, by),
    ),
    fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
      ([where, length]): Change<Unit> =>
        (all) =>
          all.toSpliced(at(all, where), length),
    ),
    place.map(
      (where): Change<Unit> =>
        (all) =>
          all.slice(0, at(all, where)),
    ),
    place.map(
      (where): Change<Unit> =>
        (all) =>
          all.slice(at(all, where)),
    ),
    fc.tuple(place, place, fc.integer({ min: 1, max: 40 })).map(
      ([from, to, length]): Change<Unit> =>
        (all, other) =>
          all.toSpliced(at(all, to), length, ...other.slice(at(other, from), at(other, from) + length)),
    ),
    fc.tuple(place, place).map(
      ([a, b]): Change<Unit> =>
        (all) =>
          all
            .with(a % all.length || 0, all[b % all.length || 0]!)
            .with(b % all.length || 0, all[a % all.length || 0]!),
    ),
    place.map(
      (where): Change<Unit> =>
        (all, other) => [...all.slice(0, at(all, where)), ...other.slice(at(all, where))],
    ),
  );
}

/** Whether there is anything to change. */
const some = <Unit>(units: readonly Unit[]): boolean => units.length > 0;

/** One to three changes of a text, whose new characters are mostly of an alphabet. */
export function changedText(alphabet: string): fc.Arbitrary<(text: string, other?: string) => string> {
  const unit = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...alphabet) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
  );
  return fc.array(change(unit), { minLength: 1, maxLength: 3 }).map(
    (changes) =>
      (text, other = text) =>
        changes
          .reduce<string[]>((all, one) => (some(all) ? one(all, other.split("")) : all), text.split(""))
          .join(""),
  );
}

/** One to three changes of bytes, flipped bits among them. */
export function changedBytes(): fc.Arbitrary<(bytes: Uint8Array, other?: Uint8Array) => Uint8Array> {
  const flip = fc.tuple(fc.nat(), fc.nat({ max: 7 })).map(
    ([where, bit]): Change<number> =>
      (all) =>
        all.with(where % all.length, all[where % all.length]! ^ (1 << bit)),
  );
  const one = fc.oneof(flip, change(fc.nat({ max: 255 })));
  return fc.array(one, { minLength: 1, maxLength: 3 }).map(
    (changes) =>
      (bytes, other = bytes) =>
        Uint8Array.from(
          changes.reduce<number[]>((all, next) => (some(all) ? next(all, [...other]) : all), [...bytes]),
        ),
  );
}

type Json = unknown;

/** One to three changes in a JSON value: members taken out, doubled, renamed, exchanged, or of another type. */
export function changedJson(names: readonly string[]): fc.Arbitrary<(value: Json) => Json> {
  const by = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<Json>(null, "", [], {}, 0, -1, 1e21, true, "__proto__", { length: 1 }, [[]]),
  );
  const one = fc.record({
    where: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
    how: fc.constantFrom("replace", "remove", "rename", "exchange", "add", "text"),
    name: fc.constantFrom(...names, "__proto__", "constructor", "x"),
    by,
    second: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
  });
  return fc.array(one, { minLength: 1, maxLength: 3 }).map((changes) => (value) => {
    const root = { value: structuredClone(value) };
    for (const { where, how, name, by: other, second } of changes) {
      const [holder, key] = find(root, where);
      const [holder2, key2] = find(root, second);
      const old = holder[key];
      if (how === "replace") holder[key] = structuredClone(other);
      else if (how === "remove" && holder !== root) delete holder[key];
      else if (how === "rename" && holder !== root) {
        delete holder[key];
        define(holder, name, old);
      } else if (how === "exchange") {
        const copy = structuredClone(holder2[key2]);
        holder2[key2] = structuredClone(old);
        holder[key] = copy;
      } else if (how === "add" && typeof old === "object" && old !== null)
        define(old, name, structuredClone(other));
      else if (how === "text") holder[key] = typeof old === "string" ? `${old}x` : JSON.stringify(old);
    }
    return root.value;
  });
}

type Holder = Record<string, Json>;

/** The member that a way through a value leads to. */
function find(root: object, way: readonly number[]): [Holder, string] {
  let holder = root as Holder;
  let key = Object.keys(holder)[0]!;
  for (const step of way) {
    const next = holder[key];
    if (typeof next !== "object" || next === null || Object.keys(next).length === 0) break;
    holder = next as Holder;
    const keys = Object.keys(holder);
    key = keys[step % keys.length]!;
  }
  return [holder, key];
}

function define(holder: object, name: string, value: Json): void {
  // JSON has no names in a list.
  if (Array.isArray(holder)) return void holder.push(value);
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}
