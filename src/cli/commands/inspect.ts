import { Command } from "commander";
import type { Claims } from "../../claims.ts";
import { type EnvelopeInfo, inspectEnvelope } from "../../envelope.ts";
import { toHex } from "../../internal/bytes.ts";
import { Complaints } from "../complaints.ts";
import { envelopeOf } from "../envelopes.ts";
import { EXIT } from "../exit.ts";
import { openInputs } from "../inputs.ts";
import { toStdout } from "../output.ts";
import { search } from "../search.ts";
import { note, out, printable, size } from "../terminal.ts";

/** `inspect`: what envelopes say of themselves. */
export function inspect(): Command {
  return new Command("inspect")
    .summary("show claims and sizes of envelopes")
    .description(
      "Shows what can be read of envelopes without a key, wherever they stand in text or JSON: kid, claims, size. " +
        "None of it is authenticated: whoever carried an envelope can have changed it.",
    )
    .argument("[files...]", "files; - or none: standard input")
    .option("--json", "print an object for each envelope, one a line")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 an envelope is malformed, or there is none, 2 an input cannot be read.\n",
    )
    .action(async (files: string[], { json }: { json?: boolean }) => {
      const complaints = new Complaints();
      const output = toStdout();
      let envelopes = 0;
      for (const input of await openInputs(files)) {
        envelopes += await search(
          input,
          complaints,
          async ({ data, line }) => {
            const info = inspectEnvelope(envelopeOf(data));
            const text = json === true ? asJson(input.name, line, info) : asLine(input.name, line, info);
            await output.write(Buffer.from(`${text}\n`));
          },
          undefined,
          () => output.flush(),
        );
      }
      await output.flush();
      complaints.end();
      if (envelopes === 0) note("There are no envelopes of stepseal/v1.");
      process.exitCode = envelopes === 0 || complaints.count > 0 ? EXIT.found : EXIT.ok;
    });
}

function asJson(file: string, line: number, { claims, ...info }: EnvelopeInfo): string {
  return JSON.stringify({ file, line, ...info, claims: Object.fromEntries(texts(claims)) });
}

function asLine(file: string, line: number, info: EnvelopeInfo): string {
  const flags = (["compressed", "padded", "raw"] as const).filter((flag) => info[flag]);
  const claims = texts(info.claims).map(([name, text]) => `${out.dim(`${name}=`)}${printable(text)}`);
  return [
    out.dim(`${printable(file)}:${line}`),
    out.cyan(info.kid),
    size(info.ciphertextBytes),
    ...flags,
    ...claims,
  ].join("  ");
}

/** Claims by name, the digest in hex. */
function texts(claims: Claims): [string, string][] {
  return Object.entries(claims).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? toHex(value) : value,
  ]);
}
