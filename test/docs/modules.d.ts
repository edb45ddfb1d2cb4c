// What examples import that is not installed here, as far as they use it.

declare module "@aws-sdk/client-kms" {
  export class DecryptCommand {
    constructor(input: {
      readonly KeyId?: string;
      readonly CiphertextBlob: Uint8Array;
      readonly EncryptionContext?: Readonly<Record<string, string>>;
    });
  }
  export class KMSClient {
    constructor(config: object);
    send(command: DecryptCommand): Promise<{ readonly Plaintext?: Uint8Array }>;
  }
}

declare module "@google-cloud/kms" {
  export class KeyManagementServiceClient {
    cryptoKeyPath(project: string, location: string, keyRing: string, key: string): string;
    decrypt(request: {
      readonly name: string;
      readonly ciphertext: Uint8Array;
    }): Promise<[{ readonly plaintext?: Uint8Array | string | null }]>;
  }
}

declare module "$env/dynamic/private" {
  export const env: Readonly<Record<string, string | undefined>>;
}
