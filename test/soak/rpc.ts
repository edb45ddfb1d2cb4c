/** Where messages of another process come from and go to: a child, or the process itself in one. */
export interface Channel {
  send?: ((message: object) => unknown) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: as Node has it
  on(event: "message", listener: (message: any) => void): unknown;
}

type Message =
  | { readonly call: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: string };

// biome-ignore lint/suspicious/noExplicitAny: what goes over is JSON, and each side knows the other's functions
type Functions = Readonly<Record<string, (...args: any[]) => unknown>>;

/** Lets two processes call each other. Returns how to call the other one. */
export function connect(
  channel: Channel,
  functions: Functions,
): <Result>(name: string, ...args: unknown[]) => Promise<Result> {
  const open = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let calls = 0;
  channel.on("message", (message: Message) => {
    if ("call" in message) {
      Promise.resolve()
        .then(() => functions[message.name]!(...message.args))
        .then(
          (value) => channel.send?.({ answer: message.call, value }),
          (error: Error) => channel.send?.({ answer: message.call, error: error.message }),
        );
      return;
    }
    const waiting = open.get(message.answer);
    open.delete(message.answer);
    if ("error" in message) waiting?.reject(new Error(message.error));
    else waiting?.resolve(message.value as never);
  });
  return (name, ...args) =>
    new Promise((resolve, reject) => {
      calls += 1;
      open.set(calls, { resolve, reject });
      channel.send?.({ call: calls, name, args });
    });
}

/** A request or a response as JSON. */
export interface Plain {
  readonly url: string;
  readonly method: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function plainOf(message: Request | Response): Promise<Plain> {
  return {
    url: message.url,
    method: message instanceof Request ? message.method : "",
    status: message instanceof Response ? message.status : 0,
    headers: Object.fromEntries(message.headers),
    body: await message.text(),
  };
}

export const requestOf = ({ url, method, headers, body }: Plain): Request =>
  new Request(url, { method, headers, ...(method === "GET" ? {} : { body }) });

export const responseOf = ({ status, headers, body }: Plain): Response =>
  new Response(status === 204 || status === 304 ? null : body, { status, headers });
