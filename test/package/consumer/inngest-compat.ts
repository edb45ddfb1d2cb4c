import assert from "node:assert/strict";
import { Inngest } from "inngest";
import { EncryptionService, encryptionMiddleware, isEncryptedValue } from "stepseal/inngest/compat";

class Reversed extends EncryptionService {
  identifier = "reversed";
  encrypt = (value: unknown): string => [...JSON.stringify(value)].reverse().join("");
  decrypt = (text: string): unknown => JSON.parse([...text].reverse().join(""));
}
const service = new Reversed();
assert.deepEqual(service.decrypt(service.encrypt({ n: 1 })), { n: 1 });

new Inngest({
  id: "shop",
  middleware: [encryptionMiddleware({ key: "a passphrase", fallbackDecryptionKeys: [] })],
});
new Inngest({ id: "shop", middleware: [encryptionMiddleware({ encryptionService: service })] });
assert.equal(isEncryptedValue({ n: 1 }), false);

/** What the types refuse. */
export function wrong(): void {
  // @ts-expect-error a passphrase is text
  encryptionMiddleware({ key: 1 });
}
