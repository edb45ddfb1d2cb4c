import { StepsealError } from "../errors.ts";
import { readApp, target } from "./apps.ts";
import { randomUuid } from "./ids.ts";
import { canonicalJson } from "./json.ts";
import type { Platform } from "./platform.ts";
import { sign } from "./signing.ts";
import type { ServeHandler, TestApp } from "./types.ts";
import { headersOf, wireEntry } from "./wire.ts";

/** Registers an app by a sync request, which the app answers by a call of its own or in its response. */
export async function sync(platform: Platform, handler: ServeHandler | string | URL): Promise<TestApp> {
  const { url, send } = target(handler);
  const inBand = platform.options.sync === "in_band";
  const deployId = randomUuid();
  const place = new URL(url);
  if (!inBand) place.searchParams.set("deployId", deployId);
  const content = inBand ? canonicalJson({ url }) : "";
  let registration: unknown;
  platform.syncs.set(deployId, (body) => {
    registration = body;
  });
  let answer: string;
  let status: number;
  try {
    const response = await send(
      new Request(place, {
        method: "PUT",
        ...(inBand ? { body: content } : {}),
        headers: {
          "content-type": "application/json",
          "x-inngest-sync-kind": inBand ? "in_band" : "out_of_band",
          ...(platform.signingKey === undefined
            ? {}
            : { "x-inngest-signature": sign(content, platform.signingKey) }),
        },
      }),
    );
    status = response.status;
    answer = await response.text();
    platform.wire.push(
      wireEntry({
        channel: "response",
        method: "PUT",
        url: place.href,
        status,
        headers: headersOf(response.headers),
        body: answer,
        runId: undefined,
        functionId: undefined,
      }),
    );
  } finally {
    platform.syncs.delete(deployId);
  }
  if (inBand && status === 200) registration = JSON.parse(answer);
  if (status !== 200 || registration === undefined) {
    throw new StepsealError(
      "CONFIG",
      `engine.serve: the app did not register (status ${status}): give its client engine.clientOptions, and serve its handler at any path`,
    );
  }
  const app = readApp(registration, send);
  platform.apps.set(app.id, app);
  return { id: app.id, functionIds: [...app.functions.keys()] };
}
