import type { Inngest, Middleware } from "inngest";
import { gateFailure, UNANSWERED_ERROR } from "./gate/failure.ts";
import { signAgain } from "./signature.ts";

/** What is answered where there is no answer to seal; see {@link UNANSWERED_ERROR}. */
export const UNANSWERED: Middleware.Response = {
  status: 500,
  headers: {
    "content-type": "application/json",
    "x-inngest-sdk-handled": "true",
    "x-inngest-no-retry": "false",
  },
  body: JSON.stringify(UNANSWERED_ERROR),
};

/** A response with another body, signed again with the keys of the client. */
export function answerWith(
  { signingKey, signingKeyFallback }: Inngest.Any,
  response: Middleware.Response,
  body: string,
): Middleware.Response {
  const keys = [signingKey, signingKeyFallback];
  const headers = signAgain(response.headers, response.body, body, keys, Date.now());
  return { ...response, headers, body };
}

/** What is answered when the gate itself fails: a fixed shape with our own reason, never the original body. */
export function refuseAnswer(
  client: Inngest.Any,
  response: Middleware.Response,
  error: unknown,
): Middleware.Response {
  const answer = answerWith(client, response, JSON.stringify(gateFailure(error, "the response")));
  return { ...answer, status: 400, headers: { ...answer.headers, "x-inngest-no-retry": "true" } };
}
