import { Client, type RouteFunction } from "@upstash/workflow";
import { serve } from "@upstash/workflow/express";
import express from "express";

/** Stands in place of `secureWorkflow` for Express: the SDK's own, which wants bodies parsed. */
export const secureWorkflow = () => ({
  serve: <Payload>(routeFunction: RouteFunction<Payload, unknown>) =>
    express.Router().use(express.json(), serve(routeFunction)),
  client: () => new Client({}),
});
