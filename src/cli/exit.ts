/** Exit codes of every command. */
export const EXIT = {
  /** Done, and nothing to report. */
  ok: 0,
  /** Done, and something was found: an envelope that does not open, a key still in use, a ring with a problem. */
  found: 1,
  /** Not done: wrong usage, no keys, or a file that cannot be read or written. */
  failed: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message on standard error. The message is for the user, and shows no key material. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A system error in words: `there is no such file`. */
export function systemReason(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  const reason = typeof code === "string" ? REASONS[code] : undefined;
  return reason ?? (typeof code === "string" ? code : "unknown error");
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is no folder",
  ENOSPC: "no space is left",
  EROFS: "the file system is read-only",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "the name is too long",
};
