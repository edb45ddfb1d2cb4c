/**
 * Compiles the kernel into src/engines/kernel-code.ts.
 *
 *     npm run kernel               # writes it
 *     npm run kernel -- --check    # exits with 1 where what is there is not what the source compiles to
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SOURCE = "chacha20poly1305.ts";
const TARGET = at("../src/engines/kernel-code.ts");

let code: Uint8Array | undefined;
const { error, stderr } = await asc.main(
  [
    SOURCE,
    ...["--outFile", "kernel.wasm", "--optimizeLevel", "3", "--converge", "--noAssert"],
    ...["--enable", "simd", "--runtime", "stub", "--initialMemory", "1", "--maximumMemory", "1"],
  ],
  {
    readFile: (name) => (name === SOURCE ? readFileSync(at(SOURCE), "utf8") : null),
    writeFile: (_, contents) => {
      code = contents as Uint8Array;
    },
    listFiles: () => [],
  },
);
if (error !== null || code === undefined)
  throw new Error(`the kernel does not compile: ${stderr.toString()}`);

const text = `// Made of kernel/chacha20poly1305.ts by: npm run kernel
/** WebAssembly, in unpadded base64url: ${code.length} bytes. */
export const KERNEL_CODE =
  "${Buffer.from(code).toString("base64url")}";
`;
if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, "utf8") !== text) {
  console.error(
    "src/engines/kernel-code.ts is not what kernel/chacha20poly1305.ts compiles to: npm run kernel",
  );
  process.exitCode = 1;
}
