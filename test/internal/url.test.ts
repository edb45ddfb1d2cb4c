import { expect, it } from "vitest";
import { parseUrl } from "../../src/internal/url.ts";

it.each(["https://app.example.com", "https://bücher.example.com/é", "https://app.example.com/漢"])(
  "%s is a URL, however often it is asked",
  (text) => {
    for (let i = 0; i < 20_000; i++) if (parseUrl(text) === undefined) throw new Error(`not the ${i}th time`);
    expect(parseUrl(text)?.href).toBe(new URL(text).href);
  },
);

it.each(["", "/pay", "app.example.com", "https://", "https://["])("%j is none", (text) => {
  expect(parseUrl(text)).toBeUndefined();
});
