import fc from "fast-check";

/** A JSON value of which it is known how it is spelt: members as a list, so that a name can stand there twice. */
export interface Tree {
  readonly text: string;
  /** As the last member of each name has it. */
  readonly value: unknown;
  /** Whether an object in it names a member twice. */
  readonly hasTwice: boolean;
}

const space = fc.constantFrom("", "", "", " ", "\n", "\t\r ");
/** One text, spelt with escapes or without. */
const spelt = fc
  .tuple(fc.string({ unit: "grapheme", maxLength: 6 }), fc.boolean())
  .map(([text, escapes]) => ({
    text,
    json: escapes
      ? `"${text
          .split("")
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
          .join("")}"`
      : JSON.stringify(text),
  }));
const name = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...["a", "b", "key", "__proto__", 'q"', "\\", "state"].map((text) => ({
        text,
        json: JSON.stringify(text),
      })),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ text: "a", json: '"\\u0061"' }, { text: "key", json: '"k\\u0065y"' }),
  },
  spelt,
);
const leaf: fc.Arbitrary<Tree> = fc.oneof(
  spelt.map(({ text, json }) => ({ text: json, value: text, hasTwice: false })),
  fc
    .oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constantFrom(null, true, false),
    )
    .map((value) => ({
      text: JSON.stringify(value),
      value: JSON.parse(JSON.stringify(value)),
      hasTwice: false,
    })),
  fc
    .constantFrom("1.0", "1e2", "-0", "0.1e1", "1E-7")
    .map((text) => ({ text, value: JSON.parse(text), hasTwice: false })),
);

/** JSON texts with all that a spelling can be. */
export const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    leaf,
    fc.tuple(fc.array(tie("tree"), { maxLength: 4 }), space).map(([items, gap]) => ({
      text: `[${gap}${items.map(({ text }) => text).join(`${gap},`)}${gap}]`,
      value: items.map(({ value }) => value),
      hasTwice: items.some(({ hasTwice }) => hasTwice),
    })),
    fc.tuple(fc.array(fc.tuple(name, tie("tree")), { maxLength: 5 }), space).map(([members, gap]) => ({
      text: `{${members.map(([{ json }, { text }]) => `${gap}${json}${gap}:${gap}${text}`).join(",")}${gap}}`,
      value: Object.fromEntries(members.map(([{ text }, { value }]) => [text, value])),
      hasTwice:
        new Set(members.map(([{ text }]) => text)).size < members.length ||
        members.some(([, { hasTwice }]) => hasTwice),
    })),
  ),
})).tree;

/** The canonical form of a value, by the letter of RFC 8785: names in the order of their UTF-16 units. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((one) => `${JSON.stringify(one)}:${canonical((value as Record<string, unknown>)[one])}`).join()}}`;
}
