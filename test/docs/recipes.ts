import { generateKey } from "stepseal";

// Stand-ins for what the recipes of docs/keys.md call: each answers only the call that its SDK documents.

const RING = JSON.stringify({
  keys: [
    { key: generateKey(), state: "primary" },
    { key: generateKey(), state: "decrypt-only" },
  ],
});
const WRAPPED: Uint8Array = new TextEncoder().encode("a ring, encrypted");

function expectCall(found: unknown, expected: object): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`called with ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
}

class DecryptCommand {
  constructor(readonly input: object) {}
}

class KMSClient {
  async send({ input }: DecryptCommand): Promise<{ Plaintext: Uint8Array }> {
    const EncryptionContext = { app: "shop" };
    expectCall(input, { KeyId: "alias/stepseal", CiphertextBlob: WRAPPED, EncryptionContext });
    return { Plaintext: new TextEncoder().encode(RING) };
  }
}

class KeyManagementServiceClient {
  cryptoKeyPath(project: string, location: string, keyRing: string, key: string): string {
    return `projects/${project}/locations/${location}/keyRings/${keyRing}/cryptoKeys/${key}`;
  }
  async decrypt(request: object): Promise<[{ plaintext: Uint8Array }]> {
    const name = this.cryptoKeyPath("my-project", "europe-west1", "stepseal", "ring");
    expectCall(request, { name, ciphertext: WRAPPED });
    return [{ plaintext: new TextEncoder().encode(RING) }];
  }
}

/** Vault's HTTP API, in place of the global `fetch`. */
export async function vault(url: string, init: RequestInit): Promise<Response> {
  expectCall(
    [url, init.headers],
    ["https://vault.test/v1/secret/data/stepseal", { "X-Vault-Token": "token" }],
  );
  const metadata = { version: 1 };
  return Response.json({ data: { data: JSON.parse(RING), metadata } });
}
export const VAULT_ENV = { VAULT_ADDR: "https://vault.test", VAULT_TOKEN: "token" } as const;

/** Modules by the name that recipes import them under. */
export const RECIPE_MODULES: Readonly<Record<string, unknown>> = {
  "@aws-sdk/client-kms": { DecryptCommand, KMSClient },
  "@google-cloud/kms": { KeyManagementServiceClient },
  "node:fs/promises": { readFile: async () => WRAPPED },
};
