import type { InngestFunction, InngestFunctionReference } from "inngest";
import { isObject } from "./gate/event.ts";
import { member } from "./gate/step-tools.ts";

/** The id by which the platform knows the function that `step.invoke` was given; the SDK says what is none. */
export function invokedId(called: unknown, clientId: string): string | undefined {
  const target = member(called, "function");
  if (!isObject(target)) return undefined;
  if ("client" in target) {
    const fn = target as unknown as InngestFunction.Any;
    // biome-ignore lint/complexity/useLiteralKeys: private to TypeScript
    return fn.id(fn["client"].id);
  }
  const { appId, functionId } = (target as Partial<InngestFunctionReference.Any>).opts ?? {};
  return functionId === undefined ? undefined : `${appId || clientId}-${functionId}`;
}
