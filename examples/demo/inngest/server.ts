import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "inngest/node";
import { createKeyring, generateKey } from "stepseal";
import { encryptionMiddleware } from "stepseal/inngest";
import { findPlaintext, type WireEntry } from "stepseal/testing";
import { color } from "../report.ts";
import { APPROVAL, createApp, MARKERS, ORDER } from "./app.ts";
import { quiet } from "./play.ts";

/** How long the server gets to run the order up to its sleep. */
const PATIENCE_MS = 60_000;

/**
 * Runs the app, sealed, against a real Inngest dev server, and looks at all that was sent to it. The run ends
 * asleep: the server's clock is the real one.
 *
 * @param server base URL of the dev server, for example http://127.0.0.1:8288
 * @returns the exit code
 */
export async function runAgainstServer(server: URL): Promise<number> {
  const wire: WireEntry[] = [];
  const seen = new Map<string, unknown>();
  const { inngest, functions } = createApp(
    {
      isDev: true,
      logger: quiet,
      baseUrl: server.origin,
      fetch: async (input, init) => {
        const url = String(input instanceof Request ? input.url : input);
        wire.push({
          channel: url.includes("/e/") ? "event" : "api",
          method: init?.method ?? "GET",
          url,
          headers: {},
          body: String(init?.body ?? ""),
        });
        return fetch(input, init);
      },
      middleware: [encryptionMiddleware({ keyring: createKeyring({ key: generateKey() }) })],
    },
    (what, value) => {
      if (!seen.has(what)) console.log(`  ${what.padEnd(26)} ${color.green(JSON.stringify(value))}`);
      seen.set(what, value);
    },
  );

  const handler = serve({ client: inngest, functions });
  const app = createServer((request, response) => {
    const end = response.end.bind(response);
    // What the app answers leaves too.
    response.end = ((chunk?: unknown, ...rest: never[]) => {
      const { method = "GET", url = "" } = request;
      wire.push({ channel: "response", method, url, headers: {}, body: String(chunk ?? "") });
      return end(chunk as string, ...rest);
    }) as typeof response.end;
    handler(request, response);
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { port } = app.address() as AddressInfo;
  try {
    const synced = await fetch(`http://127.0.0.1:${port}/api/inngest`, { method: "PUT" });
    if (!synced.ok) {
      console.error(
        `The server at ${server.origin} did not accept the app: status ${synced.status}. Is it running?`,
      );
      return 1;
    }
    await inngest.send(ORDER);
    const done = "parcel, from the child";
    for (const end = Date.now() + PATIENCE_MS; !seen.has(done) && Date.now() < end; await pause(500)) {
      if (seen.has("charge, after one failure")) await inngest.send(APPROVAL);
    }
    const found = new Set(findPlaintext(wire, Object.values(MARKERS)).map((hit) => hit.needle));
    console.log(`${found.size} of ${Object.keys(MARKERS).length} markers found in ${wire.length} messages`);
    if (!seen.has(done))
      console.error("The run did not get as far as its sleep; see the server's dashboard.");
    return found.size === 0 && seen.has(done) ? 0 : 1;
  } finally {
    app.close();
    app.closeAllConnections();
  }
}
