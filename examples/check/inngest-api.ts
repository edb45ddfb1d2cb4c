import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestEngine } from "stepseal/testing";

/** The platform's API on a port of 127.0.0.1, for apps in processes of their own. */
export async function listen(engine: TestEngine): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { method = "GET", url = "/" } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await engine.fetch(new URL(url, engine.clientOptions.baseUrl), {
      method,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      ...(chunks.length > 0 && { body: Buffer.concat(chunks).toString() }),
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
