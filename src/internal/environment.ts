/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of the process, where there is one. */
export function processEnv(): Environment {
  return globalThis.process?.env ?? {};
}
