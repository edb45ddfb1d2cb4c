import type { Inngest, Middleware } from "inngest";
import { StepsealError } from "../../errors.ts";
import { signAgain } from "./signature.ts";

function wireError(name: string, members: object): string {
  return JSON.stringify({ name, ...members, stack: "", __serialized: true });
}

/**
 * What is answered where there is no answer to seal: the keys did not load, or another middleware threw. As
 * without stepseal the platform tries again; what was thrown could hold anything, and stays here.
 */
export const UNANSWERED: Middleware.Response = {
  status: 500,
  headers: {
    "content-type": "application/json",
    "x-inngest-sdk-handled": "true",
    "x-inngest-no-retry": "false",
  },
  body: wireError("Error", { message: "stepseal: the request failed before it was answered" }),
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
  const reason =
    error instanceof StepsealError
      ? { message: error.message, code: error.code }
      : { message: "the response could not be sealed" };
  const answer = answerWith(client, response, wireError("StepsealError", reason));
  return { ...answer, status: 400, headers: { ...answer.headers, "x-inngest-no-retry": "true" } };
}
