import { Middleware } from "inngest";

/** Stands in place of `encryptionMiddleware`, and does nothing. */
export function encryptionMiddleware(): Middleware.Class {
  return class extends Middleware.BaseMiddleware {
    override readonly id = "nothing";
  };
}
