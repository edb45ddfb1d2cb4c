import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import { acceptsBothWays } from "./real-inngest.ts";

acceptsBothWays("inngest 4", (keys) => {
  const client = new Inngest({ id: "app", isDev: false, eventKey: "test", logger: silent, ...keys });
  const echo = client.createFunction({ id: "fn", triggers: { event: "go" } }, ({ event }) => event.data);
  return serve({ client, functions: [echo] });
});

const silent = { debug() {}, info() {}, warn() {}, error() {} };
