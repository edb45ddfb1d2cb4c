import { expect, test } from "vitest";
import { findPlaintext, type WireEntry } from "../../src/testing/index.ts";

const NEEDLE = 'Ré/n?e>> "~\n\\ Müller';

function entry(part: Partial<WireEntry>): WireEntry {
  return { channel: "api", method: "POST", url: "http://inngest.test/", headers: {}, body: "", ...part };
}

const b64 = (text: string) => Buffer.from(text).toString("base64");
const b64url = (text: string) => Buffer.from(text).toString("base64url");
const json = JSON.stringify;
const ascii = (text: string) =>
  text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const ENCODINGS: { name: string; body: string; encoding: string }[] = [
  { name: "as it is", body: `x${NEEDLE}y`, encoding: "plain" },
  { name: "in JSON", body: json({ a: [NEEDLE] }), encoding: "json" },
  { name: "in JSON in JSON", body: json({ a: json({ b: NEEDLE }) }), encoding: "json" },
  { name: "in JSON in JSON in JSON", body: json(json({ a: json(NEEDLE) })), encoding: "json" },
  { name: "in JSON with escaped letters", body: ascii(json({ a: NEEDLE })), encoding: "json" },
  { name: "in JSON with escaped slashes", body: json(NEEDLE).replaceAll("/", "\\/"), encoding: "json" },
  { name: "percent-encoded", body: `q=${encodeURIComponent(NEEDLE)}`, encoding: "percent" },
  { name: "as a form", body: new URLSearchParams({ q: NEEDLE }).toString(), encoding: "percent" },
  { name: "percent-encoded JSON", body: `q=${encodeURIComponent(json({ a: NEEDLE }))}`, encoding: "percent" },
  {
    name: "percent-encoded twice",
    body: encodeURIComponent(encodeURIComponent(NEEDLE)),
    encoding: "percent",
  },
  { name: "in base64 at alignment 0", body: b64(`abc${NEEDLE}x`), encoding: "base64" },
  { name: "in base64 at alignment 1", body: b64(`a${NEEDLE}xy`), encoding: "base64" },
  { name: "in base64 at alignment 2", body: b64(`ab${NEEDLE}`), encoding: "base64" },
  { name: "in base64url at alignment 0", body: b64url(`abc${NEEDLE}x`), encoding: "base64" },
  { name: "in base64url at alignment 1", body: b64url(`a${NEEDLE}xy`), encoding: "base64" },
  { name: "in base64url at alignment 2", body: b64url(`ab${NEEDLE}`), encoding: "base64" },
  { name: "in base64 of JSON", body: json({ a: b64(json({ b: NEEDLE })) }), encoding: "base64" },
  { name: "in base64 of base64", body: b64(`a${b64url(`b${NEEDLE}`)}`), encoding: "base64" },
  { name: "in percent-encoded base64", body: encodeURIComponent(b64(`ab${NEEDLE}`)), encoding: "base64" },
  {
    name: "in base64 with escaped slashes",
    body: json(b64(NEEDLE)).replaceAll("/", "\\/"),
    encoding: "base64",
  },
];

test.each(ENCODINGS)("text is found $name", ({ body, encoding }) => {
  const url = "http://inngest.test/e/key";
  expect(
    findPlaintext([entry({}), entry({ body, url, channel: "event" })], [NEEDLE, "something else"]),
  ).toEqual([{ needle: NEEDLE, at: 1, where: "body", channel: "event", encoding, url }]);
});

test.each(["secret", "sécret", "1234567", "      x"])(
  "a short needle is found in base64 at every alignment: %s",
  (needle) => {
    for (const before of ["", "a", "ab", "abc"]) {
      for (const after of ["", "z", "zy"]) {
        const text = `${before}${needle}${after}`;
        for (const body of [b64(text), b64url(text)]) {
          expect(findPlaintext([entry({ body })], [needle])).toMatchObject([{ encoding: "base64" }]);
        }
      }
    }
  },
);

test("URLs and headers are searched, and the header is named", () => {
  const wire = [
    entry({ url: "http://inngest.test/v1/realtime/publish?channel=user%3Amarguerite" }),
    entry({ headers: { "x-note": "for marguerite", "x-other": b64("marguerite") } }),
  ];
  expect(findPlaintext(wire, ["user:marguerite", "marguerite"])).toMatchObject([
    { needle: "user:marguerite", at: 0, where: "url", encoding: "percent" },
    { needle: "marguerite", at: 0, where: "url", encoding: "plain" },
    { needle: "marguerite", at: 1, where: "header", header: "x-note", encoding: "plain" },
    { needle: "marguerite", at: 1, where: "header", header: "x-other", encoding: "base64" },
  ]);
});

test("each place gives one hit for a needle, however often it is there", () => {
  const body = `marguerite marguerite ${b64("marguerite")}`;
  expect(findPlaintext([entry({ body })], ["marguerite"])).toHaveLength(1);
});

test("what is not there is not found", () => {
  const random = Array.from({ length: 200 }, (_, n) => b64(String(Math.sin(n)))).join("");
  expect(findPlaintext([entry({ body: random, url: "http://x/%zz%" })], ["marguerite", "sécret"])).toEqual(
    [],
  );
});

test.each(["", "short", 12345678])("a needle like %o is refused", (needle) => {
  expect(() => findPlaintext([], ["long enough", needle as string])).toThrowError(
    expect.objectContaining({ code: "CONFIG", message: expect.stringContaining("needle 1") }),
  );
});
