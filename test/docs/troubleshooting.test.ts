import { expect, test } from "vitest";
import { read } from "./markdown.ts";

const page = read("docs/troubleshooting.md");

/** The members of a union of codes, as its source has them. */
function codesOf(path: string, type: string): string[] {
  const [, union = ""] = new RegExp(`export type ${type} =([^;]*);`).exec(read(path)) ?? [];
  return [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code = ""]) => code);
}

/** The headings below one of the page that are codes, in their order. */
function sectionsOf(heading: string): string[] {
  const [, rest = ""] = page.split(`## ${heading}\n`);
  const [part = ""] = rest.split(/^## /m);
  return [...part.matchAll(/^### (.*)$/gm)].map(([, title = ""]) => title.replaceAll("`", ""));
}

test.each([
  ["StepsealError", "src/errors.ts", "StepsealErrorCode"],
  ["SignatureError", "src/transport/signature-error.ts", "SignatureErrorCode"],
])("every code of %s has a section, and every section a code that there is", (name, path, type) => {
  const codes = codesOf(path, type);
  expect(codes.length).toBeGreaterThan(10);
  expect(sectionsOf(name)).toEqual(codes);
});

test("each section says what the code means, what to do and whether the platform tries again", () => {
  const sections = page.split(/^### /m).slice(1);
  expect(sections.length).toBeGreaterThan(20);
  for (const section of sections) {
    for (const part of ["**Means:**", "**Causes:**", "**Do:**", "**Tried again:**"]) {
      expect(section, section.split("\n")[0]).toContain(part);
    }
  }
});
