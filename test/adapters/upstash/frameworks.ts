import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Client, RouteFunction } from "@upstash/workflow";
import express, { type Express } from "express";
import { Hono } from "hono";
import type { ServeHandler, TestQstash } from "stepseal/testing";
import { nodeHandler } from "stepseal/transport";
import { secureWorkflow as forWorkers } from "stepseal/upstash/cloudflare";
import { secureWorkflow as forExpress } from "stepseal/upstash/express";
import { secureWorkflow as forHono } from "stepseal/upstash/hono";
import { onTestFinished, vi } from "vitest";
import { KEY, ORIGIN, secure_, type Workflows } from "./harness.ts";

/** What is deployed: one workflow at /pay, and many below /workflows. */
export interface Routes {
  readonly pay: RouteFunction<{ secret: string }, unknown>;
  readonly many: Workflows;
}

/** An app in one framework. */
export interface Deployed {
  readonly answer: ServeHandler;
  readonly client: Client;
}

/** One way to put workflows into a framework. */
export interface Entry {
  readonly name: string;
  deploy(qstash: TestQstash, routes: Routes): Deployed | Promise<Deployed>;
}

/** All that stepseal reads from the environment. */
export function variables({ env }: TestQstash): Record<string, string> {
  return { ...env, STEPSEAL_KEY: KEY, UPSTASH_WORKFLOW_URL: ORIGIN };
}

/** Sets the variables of the process, for the test that runs. */
export function inProcess(env: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

/** An app of Node's on a free port, as a handler of web requests. */
export async function listening(app: Express | RequestListener): Promise<ServeHandler> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return async ({ url, method, headers, body }) => {
    const { pathname, search } = new URL(url);
    const passed = new Headers(headers);
    passed.delete("host");
    const init = { method, headers: passed, body, duplex: "half" } as RequestInit;
    return fetch(`http://127.0.0.1:${port}${pathname}${search}`, init);
  };
}

/** A Hono app, called with what its server or runtime gives as `env`. */
function hono(env: Readonly<Record<string, unknown>>, { pay, many }: Routes, client: object): Deployed {
  const secure = forHono();
  const app = new Hono();
  app.post("/pay", secure.serve(pay));
  app.post("/workflows/:name", secure.serveMany(many));
  return { answer: (request) => app.fetch(request, env), client: secure.client(client) };
}

const byPath =
  (pay: ServeHandler, many: ServeHandler): ServeHandler =>
  (request) =>
    new URL(request.url).pathname === "/pay" ? pay(request) : many(request);

export const ENTRIES: readonly Entry[] = [
  {
    name: "Next.js, App Router",
    deploy(qstash, { pay, many }) {
      const secure = secure_(qstash);
      return {
        answer: byPath(secure.serve(pay).POST, secure.serveMany(many).POST),
        client: secure.client(),
      };
    },
  },
  {
    name: "Next.js, Pages Router, by nodeHandler",
    async deploy(qstash, { pay, many }) {
      const secure = secure_(qstash);
      const listener = nodeHandler(byPath(secure.serve(pay).POST, secure.serveMany(many).POST));
      return { answer: await listening(listener), client: secure.client() };
    },
  },
  {
    name: "Hono on Node, with variables of the process",
    deploy(qstash, routes) {
      inProcess(variables(qstash));
      return hono({ incoming: {}, outgoing: {} }, routes, {});
    },
  },
  {
    name: "Hono on Workers, with bindings",
    deploy(qstash, routes) {
      const env = variables(qstash);
      return hono(env, routes, env);
    },
  },
  {
    name: "Express, before express.json()",
    async deploy(qstash, { pay, many }) {
      inProcess(variables(qstash));
      const secure = forExpress();
      const app = express();
      app.post("/pay", secure.serve(pay));
      app.use("/workflows", secure.serveMany(many));
      app.use(express.json());
      return { answer: await listening(app), client: secure.client() };
    },
  },
  {
    name: "Express, after express.raw(), in a router",
    async deploy(qstash, { pay, many }) {
      inProcess(variables(qstash));
      const secure = forExpress();
      const router = express.Router();
      router.post("/:name", secure.serveMany(many));
      const app = express();
      app.use(express.raw({ type: () => true }));
      app.post("/pay", secure.serve(pay));
      app.use("/workflows", router);
      return { answer: await listening(app), client: secure.client() };
    },
  },
  {
    name: "Cloudflare Workers",
    deploy(qstash, { pay, many }) {
      const secure = forWorkers();
      const env = variables(qstash);
      const [one, all] = [secure.serve(pay), secure.serveMany(many)];
      return {
        answer: byPath(
          (request) => one.fetch(request, env),
          (request) => all.fetch(request, env),
        ),
        client: secure.client(env),
      };
    },
  },
  {
    name: "Cloudflare Pages",
    deploy(qstash, { pay, many }) {
      const secure = forWorkers();
      const env = variables(qstash);
      const [one, all] = [secure.serve(pay), secure.serveMany(many)];
      const context = (request: Request): { request: Request; env: object } => ({ request, env });
      return {
        answer: byPath(
          (request) => one.fetch(context(request)),
          (request) => all.fetch(context(request)),
        ),
        client: secure.client(env),
      };
    },
  },
];
