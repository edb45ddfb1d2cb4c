import { Command } from "commander";
import { version } from "../../package.json";
import { check } from "./commands/check.ts";
import { decrypt } from "./commands/decrypt.ts";
import { inspect } from "./commands/inspect.ts";
import { keygen } from "./commands/keygen.ts";
import { retire } from "./commands/retire.ts";
import { rewrap } from "./commands/rewrap.ts";
import { rotate } from "./commands/rotate.ts";
import { scan } from "./commands/scan.ts";
import { problem } from "./terminal.ts";

/** All commands, as commander knows them. */
export function program(): Command {
  const root = new Command("stepseal")
    .usage("[command] [options]")
    .version(version)
    .description("Keys of stepseal, and the envelopes sealed under them.")
    .addHelpText(
      "after",
      "\nKeys come from STEPSEAL_KEY and STEPSEAL_KEY_FALLBACK, or from a keyring file (STEPSEAL_KEYRING_FILE, --keyring);\n" +
        "never from arguments.\n" +
        "Exit codes: 0 done, 1 done and something was found, 2 not done. Each command's help says more.\n",
    );
  for (const command of [keygen(), check(), inspect(), decrypt(), scan(), rotate(), retire(), rewrap()])
    root.addCommand(command);
  for (const command of [root, ...root.commands]) {
    command
      .exitOverride()
      .configureOutput({ outputError: (text) => problem(text.replace(/^error: /, "").trim()) });
  }
  return root;
}
