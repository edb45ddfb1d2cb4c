import assert from "node:assert/strict";
import {
  type Claims,
  createBlindIndex,
  createKeyring,
  createSealer,
  type Envelope,
  generateKey,
  inspectEnvelope,
  isSealed,
  type Keyring,
  loadKeyring,
  StepsealError,
  type StepsealErrorCode,
} from "stepseal";

const keyring: Keyring = createKeyring({ key: generateKey(), fallbackKeys: [generateKey()] });
const sealer = createSealer({ keyring });
const claims: Claims = { kind: "custom", name: "a package" };
const sealed: Envelope = sealer.seal({ card: "4111" }, claims);
assert.ok(isSealed(sealed));
assert.equal(inspectEnvelope(sealed).kid, keyring.primary);
assert.deepEqual(sealer.open(sealed, claims), { card: "4111" });

let code: StepsealErrorCode | undefined;
try {
  sealer.open(sealed, { ...claims, name: "another" });
} catch (error) {
  if (error instanceof StepsealError) code = error.code;
}
assert.equal(code, "CONTEXT");

const loaded = await loadKeyring({ env: { STEPSEAL_KEY: generateKey() } });
const token: string = createBlindIndex({ keyring: loaded })("ada@example.com", "customer");
assert.equal(token.length, 22);

/** What the types refuse. */
export function wrong(): void {
  // @ts-expect-error a kind is one of a list
  sealer.seal(1, { kind: "any" });
  // @ts-expect-error an opened value has to be looked at
  sealer.open(sealed, claims).card;
  // @ts-expect-error a ring has a primary key
  createKeyring({});
}
