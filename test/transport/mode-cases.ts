/** Environments, and what the real SDKs make of them; ours where it differs. */
export interface ModeCase {
  readonly env: Readonly<Record<string, string>>;
  readonly v4: "cloud" | "dev";
  /** An error where its client cannot be made. */
  readonly v3: "cloud" | "dev" | "error";
  /** What `resolveMode` answers where it is stricter. */
  readonly ours?: { readonly v4?: "cloud" | "CONFIG"; readonly v3?: "cloud" | "CONFIG" };
}

const error = { v4: "CONFIG", v3: "CONFIG" } as const;

export const MODE_CASES: readonly ModeCase[] = [
  { env: {}, v4: "cloud", v3: "dev" },
  { env: { INNGEST_DEV: "1" }, v4: "dev", v3: "dev" },
  { env: { INNGEST_DEV: "true" }, v4: "dev", v3: "dev" },
  { env: { INNGEST_DEV: " TRUE " }, v4: "dev", v3: "dev" },
  { env: { INNGEST_DEV: "0" }, v4: "cloud", v3: "cloud" },
  { env: { INNGEST_DEV: "false", NODE_ENV: "development" }, v4: "cloud", v3: "cloud" },
  { env: { INNGEST_DEV: "http://localhost:8288" }, v4: "dev", v3: "dev" },
  { env: { INNGEST_DEV: "localhost:8288" }, v4: "dev", v3: "error", ours: { v3: "CONFIG" } },
  { env: { INNGEST_DEV: "" }, v4: "cloud", v3: "cloud" },
  { env: { INNGEST_DEV: "undefined" }, v4: "cloud", v3: "dev" },
  { env: { NODE_ENV: "production" }, v4: "cloud", v3: "cloud" },
  { env: { NODE_ENV: "prod" }, v4: "cloud", v3: "cloud" },
  { env: { NODE_ENV: "development" }, v4: "cloud", v3: "dev" },
  { env: { NODE_ENV: "test" }, v4: "cloud", v3: "dev" },
  { env: { VERCEL_ENV: "preview" }, v4: "cloud", v3: "cloud" },
  { env: { VERCEL_ENV: "development" }, v4: "cloud", v3: "dev" },
  { env: { CONTEXT: "production" }, v4: "cloud", v3: "cloud" },
  { env: { CONTEXT: "deploy-preview" }, v4: "cloud", v3: "dev" },
  { env: { ENVIRONMENT: "prod-eu" }, v4: "cloud", v3: "cloud" },
  { env: { DENO_DEPLOYMENT_ID: "abc" }, v4: "cloud", v3: "cloud" },
  { env: { NETLIFY: "true" }, v4: "cloud", v3: "cloud" },
  { env: { RENDER: "true" }, v4: "cloud", v3: "cloud" },
  { env: { RAILWAY_GIT_BRANCH: "main" }, v4: "cloud", v3: "cloud" },
  { env: { CF_PAGES: "1" }, v4: "cloud", v3: "cloud" },
  // Development by accident.
  { env: { INNGEST_DEV: "1", NODE_ENV: "production" }, v4: "dev", v3: "dev", ours: error },
  { env: { INNGEST_DEV: "http://localhost:8288", VERCEL_ENV: "preview" }, v4: "dev", v3: "dev", ours: error },
  {
    env: { INNGEST_DEV: "1", INNGEST_SIGNING_KEY: "signkey-prod-12345678" },
    v4: "dev",
    v3: "dev",
    ours: error,
  },
  {
    env: { INNGEST_DEV: "1", INNGEST_SIGNING_KEY: " signkey-prod-12345678" },
    v4: "dev",
    v3: "dev",
    ours: error,
  },
  { env: { INNGEST_DEV: "localhost" }, v4: "dev", v3: "cloud" },
  {
    env: { INNGEST_DEV: "http://localhost:8288", INNGEST_SIGNING_KEY: "signkey-prod-12345678" },
    v4: "dev",
    v3: "dev",
    ours: error,
  },
  { env: { INNGEST_DEV: "1", INNGEST_SIGNING_KEY: "signkey-test-12345678" }, v4: "dev", v3: "dev" },
  { env: { INNGEST_DEV: "0", INNGEST_SIGNING_KEY: "signkey-prod-12345678" }, v4: "cloud", v3: "cloud" },
  { env: { INNGEST_SIGNING_KEY: "signkey-prod-12345678" }, v4: "cloud", v3: "dev", ours: { v3: "cloud" } },
  { env: { INNGEST_DEV: "off" }, v4: "dev", v3: "cloud", ours: { v4: "CONFIG" } },
  { env: { INNGEST_DEV: "no", NODE_ENV: "production" }, v4: "dev", v3: "cloud", ours: { v4: "CONFIG" } },
  { env: { INNGEST_DEV: "file:///x" }, v4: "dev", v3: "dev", ours: error },
  { env: { INNGEST_SIGNING_KEY: "signkey-test-12345678" }, v4: "cloud", v3: "dev", ours: { v3: "cloud" } },
];
