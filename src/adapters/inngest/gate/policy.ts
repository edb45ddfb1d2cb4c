import { StepsealError } from "../../../errors.ts";

/** What to do with plaintext that stands where ciphertext is expected. */
export interface PlaintextPolicy {
  /** @throws {StepsealError} `PLAINTEXT_REJECTED`, naming the place, unless the policy lets it through */
  plaintext(place: string): void;
}

export function createPolicy(
  mode: "reject" | "warn" | "accept",
  warn: (message: string) => void,
): PlaintextPolicy {
  return {
    plaintext(place) {
      if (mode === "reject") {
        throw new StepsealError(
          "PLAINTEXT_REJECTED",
          `${place}: plaintext stands where a sealed value is expected; a sender without stepseal, or a platform that made it up. Where plaintext is legitimate for now, set plaintext: "warn"`,
        );
      }
      if (mode === "warn") warn(`stepseal: ${place}: plaintext accepted where a sealed value is expected`);
    },
  };
}

/** Runs `open`; a failure says where it happened. */
export function atPlace<T>(place: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof StepsealError)) throw error;
    const { code, kid, message } = error;
    if (kid === undefined) throw new StepsealError(code, `${place}: ${message}`);
    throw new StepsealError(code, `${place}: ${message}${message.includes(kid) ? "" : ` (key ${kid})`}`, {
      kid,
    });
  }
}
