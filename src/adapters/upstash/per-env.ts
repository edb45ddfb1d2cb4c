import { memoryReplayStore } from "../../transport/replay.ts";
import type { SecureWorkflowOptions } from "./options.ts";
import { type SecureWorkflow, secureWorkflow } from "./secure-workflow.ts";

/** Gives the workflows of the bindings that a Worker is called with. */
export type PerEnv = (env?: object) => SecureWorkflow;

/**
 * Where there is no `process.env`, keys and tokens come with each request. What is made of them is kept while the
 * runtime hands out the same bindings.
 *
 * @param readsEnv whether bindings are to be read at all
 */
export function perEnv(options: SecureWorkflowOptions, readsEnv: (env: object) => boolean): PerEnv {
  // One for all: a runtime may hand out new bindings with each request.
  const shared = { ...options, replay: options.replay ?? memoryReplayStore() };
  const made = new WeakMap<object, SecureWorkflow>();
  let withoutEnv: SecureWorkflow | undefined;
  return (env) => {
    if (env === undefined || options.env !== undefined || !readsEnv(env)) {
      withoutEnv ??= secureWorkflow(shared);
      return withoutEnv;
    }
    const known = made.get(env);
    if (known !== undefined) return known;
    const secure = secureWorkflow({ ...shared, env: env as NonNullable<SecureWorkflowOptions["env"]> });
    made.set(env, secure);
    return secure;
  };
}
