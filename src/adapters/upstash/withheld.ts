const WORKFLOW = "upstash-workflow-";
const VERSION = `${WORKFLOW}sdk-version`;

/** A request that the SDK refuses until it is released. */
export interface WithheldRequest {
  readonly request: Request;
  readonly isReleased: boolean;
  release(): void;
}

/**
 * Withholds a request from an SDK that was not set up to seal: until it is released, its headers name a protocol that
 * the SDK does not speak, and nothing else of the run (@upstash/workflow 1, workflow-parser.ts, validateRequest).
 */
export function withhold(url: string, init: RequestInit & { readonly headers: Headers }): WithheldRequest {
  const { headers } = init;
  const request = new Request(url, { ...init, headers: ofNoRun(headers) });
  request.headers.set(VERSION, "none: secured.options were not given");
  let isReleased = false;
  return {
    request,
    get isReleased() {
      return isReleased;
    },
    release() {
      if (isReleased) return;
      isReleased = true;
      request.headers.delete(VERSION);
      for (const [name, value] of headers) {
        if (name.startsWith(WORKFLOW)) request.headers.set(name, value);
      }
    },
  };
}

function ofNoRun(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => !name.startsWith(WORKFLOW)));
}
