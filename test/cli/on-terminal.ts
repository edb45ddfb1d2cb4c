import { spawn, spawnSync } from "node:child_process";
import { cli } from "./support.ts";

/**
 * Runs a command on a pseudo-terminal of its own, which is its controlling one, and types where it is asked to.
 * Arguments: how many pairs of a prompt and an answer, the pairs, the command.
 */
const PTY = `
import os, pty, sys
count = int(sys.argv[1])
pairs = [(sys.argv[2 + 2 * i].encode(), sys.argv[3 + 2 * i].encode()) for i in range(count)]
command = sys.argv[2 + 2 * count:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
shown = b""
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    if pairs and pairs[0][0] in shown:
        os.write(terminal, pairs.pop(0)[1])
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** Whether there is Python 3.9 or later, with its module for pseudo-terminals. */
export const hasTerminal: boolean =
  process.platform !== "win32" &&
  spawnSync("python3", ["-c", "import os, pty; os.waitstatus_to_exitcode"]).status === 0;

/** What a person at a terminal sees, and the exit code. */
export interface Seen {
  readonly code: number | null;
  readonly shown: string;
}

/**
 * Runs the command with all its streams on a terminal.
 *
 * @param typed what is typed once a prompt is shown, `\r` for the return key
 */
export function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  typed: readonly { readonly prompt: string; readonly answer: string }[] = [],
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const pairs = typed.flatMap(({ prompt, answer }) => [prompt, answer]);
    const command = [process.execPath, cli, ...args];
    const child = spawn("python3", ["-c", PTY, String(typed.length), ...pairs, ...command], {
      env: { PATH: process.env.PATH, TERM: "xterm", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, shown: Buffer.concat(chunks).toString() }));
  });
}
