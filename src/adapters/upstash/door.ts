import type { Client } from "@upstash/qstash";
import { StepsealError } from "../../errors.ts";
import type { MaybePromise } from "../sealer-source.ts";
import type { RequestKeys } from "./keys.ts";
import type { UpstashSettings } from "./options.ts";
import { noted, type RunState } from "./place.ts";
import { type OutgoingRequest, sealRequest } from "./requests.ts";

/** What is used of the SDK's http client. */
interface Http {
  request(request: OutgoingRequest): Promise<unknown>;
  requestStream(request: OutgoingRequest): unknown;
  requestWithBackoff(request: OutgoingRequest): unknown;
}

/**
 * A client of QStash like the given one, whose requests leave sealed. Made for one request at a time: what it seals
 * with, and which run it belongs to, never changes.
 *
 * @param keys asked for each request that leaves
 */
export function sealingClient(
  client: Client,
  keys: () => MaybePromise<RequestKeys>,
  settings: UpstashSettings,
  state?: RunState,
): Client {
  const given = client.http as unknown as Http;
  const http = Object.create(given) as Http;
  http.request = async (request) => {
    try {
      if (state?.refusal !== undefined) throw state.refusal;
      const held = await keys();
      const sealed = sealRequest(request, { sealer: held.sealer, settings, state });
      const answer = await given.request(sealed.request).catch((error: unknown) => {
        if (error instanceof Error) state?.platformErrors.push(error.message);
        throw error;
      });
      return await held.open((sealer) => sealed.open(answer, { sealer, settings, state }));
    } catch (error) {
      throw noted(error, state);
    }
  };
  // What `request` of the given client sends with, and what sends streams: nothing may go past the door.
  http.requestStream = http.requestWithBackoff = () => {
    const message = "A request would leave on a path that this version of stepseal does not know.";
    throw noted(new StepsealError("REFUSED", message), state);
  };
  return Object.create(client, { http: { value: http, enumerable: true } }) as Client;
}
