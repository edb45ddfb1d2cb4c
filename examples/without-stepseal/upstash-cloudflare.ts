import { Client } from "@upstash/workflow";
import { serve } from "@upstash/workflow/cloudflare";

/** Stands in place of `secureWorkflow` for Workers: the SDK's own. */
export const secureWorkflow = () => ({
  serve,
  client: ({ QSTASH_URL, QSTASH_TOKEN }: Readonly<Record<string, string>>) =>
    new Client({ baseUrl: QSTASH_URL!, token: QSTASH_TOKEN! }),
});
