import { createKeyring, type Keyring } from "stepseal";

/** Two fixed keys: what a test prints is the same each time. */
export const KEY = "hex:8f1d3ac05e7b9264f0a1c8d35b6e7f9012c4a7be83d65f0948eb21d07c9a3e56";
export const OTHER_KEY = "hex:3c9e51f7a20d68b4e18f4472cb905ad613f7e08c2b5d9a6140e3fd8791c62ab5";

export function keyring(): Keyring {
  return createKeyring({ key: KEY });
}
