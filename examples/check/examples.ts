import { nodeApp, type Start } from "./app.ts";
import { nextApp } from "./next.ts";
import { onInngest, onUpstash, type Stage } from "./play.ts";
import { worker } from "./worker.ts";

/** An example: how it is started, and the platform it runs on. */
export interface Example {
  readonly start: Start;
  readonly stage: Stage;
  /** What has to be installed first: `workers` by `npm run examples`, `next` by `npm run examples:next`. */
  readonly needs?: "workers" | "next";
}

const inngest = onInngest({ inngest: "/api/inngest", orders: "/orders" });

/** By folder, and how it is run where there are two ways. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  express: { start: nodeApp("express/server.ts"), stage: inngest },
  "express-upstash": { start: nodeApp("express-upstash/server.ts"), stage: onUpstash },
  hono: { start: nodeApp("hono/server.ts"), stage: inngest },
  "hono-upstash": { start: nodeApp("hono-upstash/server.ts"), stage: onUpstash },
  "zod-events": { start: nodeApp("zod-events/server.ts"), stage: inngest },
  "cloudflare-workers/inngest": { start: worker("inngest"), stage: inngest, needs: "workers" },
  // Where there is Node's cipher, and `process.env`.
  "cloudflare-workers/inngest (nodejs_compat)": {
    start: worker("inngest", ["nodejs_compat"]),
    stage: inngest,
    needs: "workers",
  },
  "cloudflare-workers/upstash": { start: worker("upstash"), stage: onUpstash, needs: "workers" },
  nextjs: {
    start: nextApp,
    stage: onInngest({ inngest: "/api/inngest", orders: "/api/orders" }),
    needs: "next",
  },
};
