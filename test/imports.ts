import { readFileSync } from "node:fs";

/** A file of the sources. */
export const source = (path: string): URL => new URL(`../src/${path}`, import.meta.url);

/** What a file loads, itself or through others, without what those load later: files of the sources, and packages. */
export function importsOf(entry: URL): {
  readonly files: readonly string[];
  readonly packages: readonly string[];
} {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: URL): void => {
    if (files.has(file.href)) return;
    files.add(file.href);
    const code = readFileSync(file, "utf8");
    for (const [, name = ""] of code.matchAll(/^(?:import|export|\})(?! type)[^;]*? from "([^"]+)";$/gm)) {
      if (name.startsWith(".")) visit(new URL(name, file));
      else packages.add(name);
    }
  };
  visit(entry);
  return { files: [...files], packages: [...packages] };
}
