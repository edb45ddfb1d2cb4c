import { SignatureError } from "../../src/transport/index.ts";

/** The keys of all these tests, by role. */
export const INNGEST = {
  old: "signkey-prod-0123456789abcdef0123456789abcdef",
  new: "signkey-prod-fedcba9876543210fedcba9876543210",
  other: "signkey-prod-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};
export const QSTASH = {
  old: "sig_test_old_key_00000000000001",
  new: "sig_test_new_key_00000000000002",
  other: "sig_test_other_key_0000000000003",
};

/** When these tests take place, in Unix seconds. */
export const T0 = 1_767_225_600;
/** A clock that stands, `seconds` after T0. */
export const at =
  (seconds = 0): (() => number) =>
  () =>
    (T0 + seconds) * 1000;

export const URL_OF_APP = "https://app.example.com/api/workflow";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The code a call is refused with, or undefined where it is not. Other errors are the test's. */
export async function refusal(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof SignatureError) return error.code;
    throw error;
  }
}
