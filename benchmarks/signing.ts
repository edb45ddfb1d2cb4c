import { paired, type Timing } from "./paired.ts";
import { createSigner, createVerifier } from "./shipped.ts";

const BYTES = 16 * 1024;
const URL_ = "https://app.example.com/api/workflow";

/** Signing and verifying a body of 16 KB, in microseconds. */
export type SigningResult = Readonly<
  Record<"signInngest" | "verifyInngest" | "signQstash" | "verifyQstash", Timing>
>;

export async function measureSigning(): Promise<SigningResult> {
  const body = new TextEncoder().encode(JSON.stringify({ text: "x".repeat(BYTES) }));
  const inngest = { scheme: "inngest", signingKey: "signkey-test-12345678" } as const;
  const qstash = { scheme: "qstash", currentSigningKey: "sig_current" } as const;
  const signers = { inngest: createSigner(inngest), qstash: createSigner({ ...qstash, url: URL_ }) };
  const verifiers = { inngest: createVerifier(inngest), qstash: createVerifier({ ...qstash, url: URL_ }) };
  const signed = {
    inngest: await signers.inngest.sign({ body }),
    qstash: await signers.qstash.sign({ body }),
  };
  const { times } = await paired({
    signInngest: () => signers.inngest.sign({ body }),
    verifyInngest: () => verifiers.inngest.verify({ headers: signed.inngest.headers, body }),
    signQstash: () => signers.qstash.sign({ body }),
    verifyQstash: () => verifiers.qstash.verify({ headers: signed.qstash.headers, body }),
  });
  return times;
}
