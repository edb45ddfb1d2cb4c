import { Inngest } from "inngest-v3";
import { serve } from "inngest-v3/edge";
import { acceptsBothWays } from "./real-inngest.ts";

acceptsBothWays("inngest 3", (keys) => {
  const client = new Inngest({ id: "app", isDev: false, eventKey: "test" });
  const echo = client.createFunction({ id: "fn" }, { event: "go" }, ({ event }) => event.data);
  return serve({ client, functions: [echo], logLevel: "silent", ...keys });
});
