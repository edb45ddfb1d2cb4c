import { Command } from "commander";
import { generateKey } from "../../keyring/key.ts";
import { createKeyring } from "../../keyring/keyring.ts";
import { print } from "../terminal.ts";

/** `keygen`: makes a root key, as the line of an env file. */
export function keygen(): Command {
  return new Command("keygen")
    .summary("make a key")
    .description(
      "Makes a root key and prints it as one line, STEPSEAL_KEY=ssk1_…, ready for an env file. It is stored nowhere: " +
        "put it where your other secrets are.",
    )
    .option("--json", 'print {"kid","key"}')
    .addHelpText("after", "\nExample:\n  npx stepseal keygen >> .env\n")
    .action(({ json }: { json?: boolean }) => {
      const key = generateKey();
      print(
        json === true ? JSON.stringify({ kid: createKeyring({ key }).primary, key }) : `STEPSEAL_KEY=${key}`,
      );
    });
}
