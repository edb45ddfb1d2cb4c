import { encodeUtf8 } from "../../internal/utf8.ts";
import type { Platform } from "./state.ts";

/** Seconds a signature holds. The Receiver needs no more than that it has not expired. */
const LIFETIME = 300;

/**
 * The `upstash-signature` of a delivery, with real time: the app's Receiver knows no virtual clock.
 *
 * The scheme is loaded when it is needed, so that `stepseal/testing` loads no jose.
 */
export async function signDelivery(platform: Platform, url: string, body: string): Promise<string> {
  const [{ signQstash }, { qstashKey }] = await Promise.all([
    import("../../transport/qstash.ts"),
    import("../../transport/key.ts"),
  ]);
  const { signWith = "current", subject = url } = platform.options;
  const key = qstashKey(platform.signingKeys[signWith], "signing key");
  const sub = typeof subject === "function" ? subject(url) : subject;
  return await signQstash(key, encodeUtf8(body), { url: sub, now: Date.now() / 1000, lifetime: LIFETIME });
}
