import { describe, expect, test } from "vitest";
import { fieldReads } from "../../../../src/adapters/inngest/gate/expression-reader.ts";

/** The paths of an expression's reads, each with its root in front. */
const reads = (expression: string) => fieldReads(expression).map(({ root, path }) => [root, ...path]);

/** Of one text in an index, what it stands for. */
const indexed = (text: string) => fieldReads(`event[${text}]`)[0]?.path;

describe("the fields that an expression reads", () => {
  test.each<[string, ...unknown[]]>([
    ["event", ["event"]],
    ["async", ["async"]],
    ["event.data.order", ["event", "data", "order"]],
    ["async.data.order", ["async", "data", "order"]],
    ["events[0].data.order", ["event", "data", "order"]],
    ["events[n].data.order", ["event", "data", "order"]],
    ["event.data.a == async.data.b", ["event", "data", "a"], ["async", "data", "b"]],
    ["event.a+event.b", ["event", "a"], ["event", "b"]],
    ["event . data\n\t. order", ["event", "data", "order"]],
    ["event.data._a9Z", ["event", "data", "_a9Z"]],
    ["event.data.a-b", ["event", "data", "a"]],
    ["event.?data.order", ["event", "data", "order"]],
    ["event?.data.order", ["event", "data", "order"]],
    ["event.data[?'order'].x", ["event", "data", "order", "x"]],
    ["event[0][12].x", ["event", 0, 12, "x"]],
    ["event[0x1F]", ["event", 0]],
    ["event['data']['order']", ["event", "data", "order"]],
    ["(event).data", ["event", "data"]],
    ["((event).data).order", ["event", "data", "order"]],
    ["((event)).data.order", ["event", "data", "order"]],
    ["((event.data)).order", ["event", "data", "order"]],
    ["(event.data) .order", ["event", "data", "order"]],
    ["size(event.data).order", ["event", "data"]],
    ["size((event.data).order).more", ["event", "data", "order"]],
    ["[event.data].order", ["event", "data"]],
    ["event.data)", ["event", "data"]],
    ["event.data.order.startsWith('x').more", ["event", "data", "order"]],
    ["event.data(1).more", ["event"]],
    ["event.data.", ["event", "data"]],
    ["event.data.'text'", ["event", "data"]],
    ["event.data.9", ["event", "data"]],
    ["event ? event.a : event.b", ["event"], ["event", "a"], ["event", "b"]],
    ["event.data[event.key].more", ["event", "data", undefined], ["event", "key"]],
    ["event.data['a' + 'b'].more", ["event", "data", undefined]],
    ["event.data[1 + 1].more", ["event", "data", undefined]],
    ["event.data[key].more", ["event", "data", undefined]],
    ["event.data[.].more", ["event", "data", undefined]],
    ["event.data[?event.key]", ["event", "data", undefined], ["event", "key"]],
    ["event.data[", ["event", "data", undefined]],
  ])("%s", (expression, ...expected) => {
    expect(reads(expression)).toEqual(expected);
  });

  test.each([
    "",
    "  ",
    "data.order",
    "vars.event.data",
    "vars . async.data",
    "events",
    "events.data",
    "events[0",
    "events[0.data",
    "events(0).data",
    "events.first].data",
    "events 0].data",
    "eventual.data",
    "my_event.data",
    "Event.data",
    "9event.data",
    "'event.data'",
    "'event'.data",
    "'events'[0].data",
    "others[0].data",
    "event2.data",
    "// event.data",
    "1 // event.data",
    "has(event.data.order)",
    "has ( event.data.order )",
  ])("none are read by %j", (expression) => {
    expect(reads(expression)).toEqual([]);
  });

  test("that are only asked for with has(…) do not count, those beside it do", () => {
    expect(reads("has(event.a) && event.b == 1")).toEqual([["event", "b"]]);
    expect(reads("had(event.a)")).toEqual([["event", "a"]]);
    expect(reads("has(x, event.a)")).toEqual([["event", "a"]]);
    expect(reads("has[event.a]")).toEqual([["event", "a"]]);
    expect(reads("'has'(event.a)")).toEqual([["event", "a"]]);
    expect(reads("(event.a)")).toEqual([["event", "a"]]);
    // What is read for an index inside is read.
    expect(reads("has(event.data[event.key].x)")).toEqual([["event", "key"]]);
  });

  test("up to the end of a comment", () => {
    expect(reads("// event.a\nevent.b // event.c")).toEqual([["event", "b"]]);
    expect(reads("event.a / event.b")).toEqual([
      ["event", "a"],
      ["event", "b"],
    ]);
    expect(reads("event.data // order\n.order")).toEqual([["event", "data", "order"]]);
  });
});

describe("a text in an index", () => {
  test.each([
    [`"order"`, "order"],
    [`'order'`, "order"],
    [`''`, ""],
    [`""`, ""],
    [`"it's"`, "it's"],
    [`'say "x"'`, 'say "x"'],
    [`"""order"""`, "order"],
    [`'''order'''`, "order"],
    [`'''it's "x"'''`, `it's "x"`],
    [`"""a"b""c"""`, 'a"b""c'],
    [`""""a"""`, '"a'],
    [`'a\\'b'`, "a'b"],
    [`'a\\\\'`, "a\\"],
    [`r'a\\'`, "a\\"],
    [`R"a\\n"`, "a\\n"],
    [`b'order'`, "order"],
    [`B'a\\n'`, "a\n"],
    [`rb'a\\n'`, "a\\n"],
    [`bR"a\\n"`, "a\\n"],
    [`'\\n\\r\\t\\b\\f\\v\\a'`, "\n\r\t\b\f\v\x07"],
    [`'\\q\\?\\"\\\`'`, `q?"\``],
    [`'\\x41b'`, "Ab"],
    [`'\\X41b'`, "Ab"],
    [`'\\u00e9b'`, "éb"],
    [`'\\U0001F600b'`, "😀b"],
    [`'\\U0010FFFFb'`, "\u{10FFFF}b"],
    [`'\\U00110000b'`, "b"],
    [`'\\1018'`, "A8"],
    [`'\\377'`, "ÿ"],
    // No octal digits, or too few of them: an unknown escape is its letter.
    [`'\\400'`, "400"],
    [`'\\18'`, "18"],
    [`'\\181'`, "181"],
    [`'\\118'`, "118"],
  ])("%s", (text, value) => {
    expect(indexed(text)).toEqual([value]);
  });

  test("that does not end goes to the end of the expression, and is no index", () => {
    for (const text of [`'order`, `'''order''`, `'order\\`, `'order\\x4`, `r'order`, `'`]) {
      expect(fieldReads(`event[${text}`)).toEqual([{ root: "event", path: [undefined] }]);
    }
  });

  test("is none where letters stand before it that are no prefix, or too many", () => {
    for (const text of ["n'order'", "rbr'order'", "xr'order'", "rx'order'", "r 'order'"]) {
      expect(indexed(text)).toEqual([undefined]);
    }
    // A raw text ends at its first quote: the next one begins another.
    expect(reads(`event[r'a\\'] == event.b`)).toEqual([
      ["event", "a\\"],
      ["event", "b"],
    ]);
  });
});
