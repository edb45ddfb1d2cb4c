export * from "inngest-v3/experimental";
