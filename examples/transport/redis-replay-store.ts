import type { ReplayStore } from "stepseal/transport";

/**
 * A replay store in Redis, for any client: `SET key 1 NX EX seconds` answers OK for a new key and nothing for one that
 * is there.
 *
 * With node-redis: `redisReplayStore((command) => client.sendCommand(command))`; with ioredis:
 * `redisReplayStore(([name, ...args]) => client.call(name, ...args))`. Make the client fail rather than wait while the
 * server is away (node-redis: `disableOfflineQueue: true`): what fails is refused, and the platform tries again.
 */
export function redisReplayStore(
  send: (command: [name: string, ...args: string[]]) => Promise<unknown>,
  prefix = "stepseal:replay:",
): ReplayStore {
  return {
    async claim(key, seconds) {
      const answer = await send(["SET", prefix + key, "1", "NX", "EX", String(seconds)]);
      return String(answer) === "OK";
    },
  };
}
