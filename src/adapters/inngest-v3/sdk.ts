import type { WireEvent } from "../inngest/gate/event.ts";
import type { ExecutionOptions, SdkFunction as Watched } from "../inngest/gate/function-class.ts";
import type { Result } from "./result.ts";
import type { ExecutionState } from "./step-watch.ts";

// What is used of SDK v3 that it does not publish (inngest 3, components/execution/v1.ts, components/InngestFunction.ts).

/** What is used here of the SDK's class of functions; private to TypeScript. */
export interface SdkFunction extends Watched<Given, Execution> {
  readonly opts: {
    readonly triggers?: readonly { readonly event?: string }[];
    readonly middleware?: readonly { readonly name?: unknown }[];
  };
  id(prefix?: string): string;
}

/** What the SDK executes a function with. */
export interface Given extends ExecutionOptions {
  readonly version: number;
  readonly partialOptions: {
    readonly client?: object;
    readonly data: {
      readonly event: WireEvent;
      readonly events?: readonly WireEvent[];
      readonly runId: string;
    };
    readonly stepState: Readonly<Record<string, StepState>>;
    readonly isFailureHandler?: boolean;
    readonly stepMode?: string;
  };
}

/** A memoized step, as the SDK keeps it. */
export type StepState = { readonly id: string } & (
  | { readonly data: unknown }
  | { readonly error: object }
  | { readonly input: unknown }
);

/** One request's execution of a function. */
export interface Execution {
  start(): Promise<Result>;
}

/** What is used of the SDK's own; private to TypeScript. */
export interface SdkExecution extends Execution {
  readonly fnArg: { step: object; readonly error?: unknown };
  readonly state: ExecutionState;
}
