import { Buffer } from "node:buffer";
import { vi } from "vitest";
import type * as Answers from "../../src/adapters/inngest/answers.ts";
import type * as GateFailure from "../../src/adapters/inngest/gate/failure.ts";
import type * as Policy from "../../src/adapters/inngest/gate/policy.ts";
import type * as ResponseDoor from "../../src/adapters/inngest/response-door.ts";
import type * as ResultV3 from "../../src/adapters/inngest-v3/result.ts";
import type * as UpstashEndpoint from "../../src/adapters/upstash/endpoint.ts";
import type * as Claims from "../../src/claims.ts";
import type * as Codec from "../../src/codec.ts";
import type * as Errors from "../../src/errors.ts";
import type * as Tell from "../../src/internal/tell.ts";
import type * as Derive from "../../src/keyring/derive.ts";
import type * as Key from "../../src/keyring/key.ts";
import type * as RunKey from "../../src/keyring/run-key.ts";
import type * as Passphrases from "../../src/legacy/passphrases.ts";
import type * as Endpoint from "../../src/transport/endpoint.ts";
import type * as SigningKey from "../../src/transport/key.ts";
import type * as SignatureErrors from "../../src/transport/signature-error.ts";
import type { Channel, Outputs } from "./outputs.ts";

/**
 * Puts an eye on every place in src where a secret comes in, and on every one where something goes out. What stands
 * there runs as it is; the eye is told what it was given and what it returned.
 */
export function watchBoundaries(outputs: Outputs): void {
  watchKeys(outputs);
  watchValues(outputs);
  watchErrors(outputs);
  watchDoors(outputs);
}

function watchKeys({ secrets }: Outputs): void {
  const bytes = (key: Uint8Array): void => secrets.addBytes(key);
  const text = (key: unknown): void => {
    if (typeof key === "string") secrets.addKey(key);
  };
  // Every root on its way into a ring, and every key that is derived of one.
  watch<typeof Derive>("keyring/derive.ts", (real) => ({
    deriveKid: seen(real.deriveKid, { returned: (kid) => secrets.addKid(kid) }),
    derivePrk: seen(real.derivePrk, { given: bytes, returned: bytes }),
    deriveIndexKey: seen(real.deriveIndexKey, { returned: bytes }),
    deriveCompatMacKey: seen(real.deriveCompatMacKey, { returned: bytes }),
    deriveSealingKey: seen(real.deriveSealingKey, { returned: bytes }),
  }));
  // Also what is refused: a key with one wrong character is as secret as a good one.
  watch<typeof Key>("keyring/key.ts", (real) => ({
    generateKey: seen(real.generateKey, { returned: text }),
    formatKey: seen(real.formatKey, { returned: text }),
    parseKey: seen(real.parseKey, { given: text }),
  }));
  watch<typeof RunKey>("keyring/run-key.ts", (real) => ({
    formatRunKey: seen(real.formatRunKey, { given: ({ run }) => secrets.addPublic(run), returned: text }),
    parseRunKey: seen(real.parseRunKey, { given: text }),
  }));
  watch<typeof SigningKey>("transport/key.ts", (real) => ({
    inngestKey: seen(real.inngestKey, { given: (key) => text(real.splitPrefix(String(key)).rest) }),
    qstashKey: seen(real.qstashKey, { given: text }),
  }));
  watch<typeof Passphrases>("legacy/passphrases.ts", (real) => ({
    passphraseKeys: seen(real.passphraseKeys, { given: (all) => all.forEach(text) }),
  }));
}

function watchValues(outputs: Outputs): void {
  const encoded = ({ content, flags }: Codec.Encoded): void => {
    // Compressed, padded or raw, it is no text.
    if (flags === 0) outputs.addJson(Buffer.from(content).toString());
  };
  // Claims are written beside what is sealed, for everyone to read.
  const claims = (written: object): void => {
    for (const claim of Object.values(written))
      if (typeof claim === "string") outputs.secrets.addPublic(claim);
  };
  watch<typeof Claims>("claims.ts", (real) => ({
    writeClaims: seen(real.writeClaims, { given: claims }),
    decodeClaims: seen(real.decodeClaims, { returned: claims }),
  }));
  watch<typeof Codec>("codec.ts", (real) => ({
    encodeValue: seen(real.encodeValue, { returned: encoded }),
    encodeJson: seen(real.encodeJson, { returned: encoded }),
    decodeValue: seen(real.decodeValue, { returned: ({ value }) => outputs.addValue(value) }),
    decodeJson: seen(real.decodeJson, {
      returned: ({ value }) => void (typeof value === "string" && outputs.addJson(value)),
    }),
  }));
}

function watchErrors(outputs: Outputs): void {
  watch<typeof Errors>("errors.ts", ({ StepsealError }) => observed(StepsealError, outputs));
  watch<typeof SignatureErrors>("transport/signature-error.ts", ({ SignatureError }) =>
    observed(SignatureError, outputs),
  );
}

/** Has a class of errors call, in place of `Error`, something that makes an `Error` and notes it. */
function observed(type: ErrorConstructor | (new (...args: never) => Error), outputs: Outputs): object {
  const noting = new Proxy(Error, {
    construct(target, args, made) {
      const error = Reflect.construct(target, args, made) as Error;
      outputs.addError(error);
      return error;
    },
  });
  Object.setPrototypeOf(type, noting);
  return {};
}

function watchDoors(outputs: Outputs): void {
  const to =
    (channel: Channel) =>
    (text: unknown): void =>
      outputs.add(channel, text);
  const response = async (answer: Response): Promise<void> => {
    const copy = answer.clone();
    outputs.add("response", await copy.text(), JSON.stringify([...copy.headers]));
  };
  const endpoint = (answerOf: (request: Request) => Promise<Response>) => async (request: Request) => {
    const answer = await answerOf(request);
    await response(answer);
    return answer;
  };
  watch<typeof ResponseDoor>("adapters/inngest/response-door.ts", (real) => ({
    sealResponseBody: seen(real.sealResponseBody, { resolved: to("response") }),
  }));
  watch<typeof Answers>("adapters/inngest/answers.ts", (real) => ({
    refuseAnswer: seen(real.refuseAnswer, { returned: ({ body }) => outputs.add("response", body) }),
  }));
  watch<typeof ResultV3>("adapters/inngest-v3/result.ts", (real) => ({
    // The SDK answers with these members of it, as JSON: what has none does not leave.
    sealResult: seen(real.sealResult, {
      resolved: ({ data, error, step, steps }) => {
        for (const member of [data, error, step, steps]) outputs.add("response", jsonOf(member));
        outputs.add("response", String(error));
      },
    }),
  }));
  watch<typeof UpstashEndpoint>("adapters/upstash/endpoint.ts", (real) => ({
    createEndpoint: (...args: Parameters<typeof real.createEndpoint>) =>
      endpoint(real.createEndpoint(...args)),
  }));
  // Past a signature the handler answers, which is any code.
  watch<typeof Endpoint>("transport/endpoint.ts", (real) => ({
    secureEndpoint: (...args: Parameters<typeof real.secureEndpoint>) => {
      const answerOf = real.secureEndpoint(...args);
      return async (request: Request) => {
        const answer = await answerOf(request);
        if (answer.status >= 400) await response(answer);
        return answer;
      };
    },
  }));
  // What the adapters log, and what observers are told.
  watch<typeof GateFailure>("adapters/inngest/gate/failure.ts", (real) => ({
    loggable: seen(real.loggable, { returned: to("log") }),
  }));
  watch<typeof Policy>("adapters/inngest/gate/policy.ts", (real) => ({
    createPolicy: (mode: Parameters<typeof real.createPolicy>[0], warn: (message: string) => void) =>
      real.createPolicy(mode, seen(warn, { given: to("log") })),
  }));
  watch<typeof Tell>("internal/tell.ts", (real) => ({
    tell: (observer: ((value: unknown) => unknown) | undefined, value: unknown) => {
      outputs.add("observer", value);
      real.tell(observer, value);
    },
  }));
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

function watch<Module extends object>(path: string, replaced: (real: Module) => object): void {
  vi.doMock(new URL(`../../src/${path}`, import.meta.url).pathname, async (original) => {
    const real = (await original()) as Module;
    return { ...real, ...replaced(real) };
  });
}

interface Eye<First, Result> {
  readonly given?: (first: First) => unknown;
  readonly returned?: (result: Result) => unknown;
  readonly resolved?: (result: Awaited<Result>) => unknown;
}

/** The same function, and who looks at it: its first argument before it runs, what it returned after. */
function seen<First, Rest extends unknown[], Result>(
  run: (first: First, ...rest: Rest) => Result,
  { given, returned, resolved }: Eye<First, Result>,
): (first: First, ...rest: Rest) => Result {
  return (first, ...rest) => {
    given?.(first);
    const result = run(first, ...rest);
    returned?.(result);
    if (resolved === undefined) return result;
    return Promise.resolve(result).then((value) => {
      resolved(value);
      return value;
    }) as Result;
  };
}
