import * as remix from "inngest-v3/remix";
import { serveOptions } from "./index.ts";

export const serve = (options: { readonly client: object }): unknown =>
  remix.serve({ ...options, ...serveOptions(options.client) } as never);
