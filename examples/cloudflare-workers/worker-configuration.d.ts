// What of the runtime's types the Workers use. `npx wrangler types` writes all of them, under this name.
declare module "cloudflare:workers" {
  export const env: Readonly<Record<string, string>>;
}
