import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisReplayStore } from "../../examples/transport/redis-replay-store.ts";
import { createSigner, createVerifier } from "../../src/transport/index.ts";
import { at, bytes, INNGEST, refusal } from "./support.ts";

const isInstalled = spawnSync("redis-server", ["--version"]).status === 0;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Starts a server and waits until it listens; another process may take the port first, so it tries again. */
async function startRedis(): Promise<{ server: ChildProcess; port: number }> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
    const isReady = await new Promise<boolean>((resolve) => {
      server.stdout.on(
        "data",
        (text) => String(text).includes("Ready to accept connections") && resolve(true),
      );
      server.once("exit", () => resolve(false));
    });
    if (isReady) return { server, port };
  }
  throw new Error("redis-server did not start");
}

describe.skipIf(!isInstalled)(
  "the Redis store, on a real server (skipped where redis-server is not installed)",
  () => {
    let redis: Awaited<ReturnType<typeof startRedis>>;
    let client: ReturnType<typeof createClient>;

    beforeAll(async () => {
      redis = await startRedis();
      client = createClient({
        socket: { host: "127.0.0.1", port: redis.port, reconnectStrategy: false },
        disableOfflineQueue: true,
      });
      // The client reports a lost connection here as well as to the command that fails.
      client.on("error", () => {});
      await client.connect();
    });
    afterAll(async () => {
      if (client?.isOpen) client.destroy();
      if (redis?.server.exitCode === null) redis.server.kill();
    });

    test("claims a key once, with a time to live, also when many ask at once", async () => {
      const store = redisReplayStore((command) => client.sendCommand(command));
      const answers = await Promise.all(Array.from({ length: 50 }, () => store.claim("inngest:many", 350)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      const left = Number(await client.ttl("stepseal:replay:inngest:many"));
      expect(left).toBeGreaterThan(300);
      expect(left).toBeLessThanOrEqual(350);
    });

    test("refuses a second delivery to another process, and everything once the server is gone", async () => {
      const keys = { scheme: "inngest", signingKey: INNGEST.old } as const;
      const worker = (seconds: number) =>
        createVerifier({
          ...keys,
          now: at(seconds),
          replay: redisReplayStore((command) => client.sendCommand(command)),
        });
      const body = bytes('{"n":1}');
      const [first, retry, late] = await Promise.all(
        [0, 1, 2].map((seconds) => createSigner({ ...keys, now: at(seconds) }).sign({ body })),
      );
      expect(await refusal(worker(0).verify({ ...first!, body }))).toBeUndefined();
      expect(await refusal(worker(1).verify({ ...first!, body }))).toBe("REPLAYED");
      expect(await refusal(worker(1).verify({ ...retry!, body }))).toBeUndefined();

      const exited = new Promise((resolve) => redis.server.once("exit", resolve));
      redis.server.kill();
      await exited;
      expect(await refusal(worker(2).verify({ ...late!, body }))).toBe("REPLAY_UNAVAILABLE");
    });
  },
);
