import * as remix from "inngest-v3/remix";
import { serveOptions } from "./index.ts";

export const serve = ({
  streaming,
  ...options
}: {
  readonly client: object;
  readonly streaming?: true;
}): unknown =>
  remix.serve({
    ...options,
    ...serveOptions(options.client),
    ...(streaming && { streaming: "force" }),
  } as never);
