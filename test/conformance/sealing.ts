import type { Claims, OpenExpected } from "stepseal";
import { type Check, holds, type Outcome, passed, refuses, same, thrownBy, withoutZlib } from "./check.ts";
import type { Implementation } from "./conformance.ts";
import { ACCEPTED, claimsOf, EXPECTED, KEYS, REJECTED, ringsOf, valueIn } from "./vectors.ts";

const DEFLATED = 1;

/** The frozen messages of test/vectors/v1, read. */
export function vectorChecks({ core }: Implementation, check: Check): void {
  const rings = ringsOf(core);
  for (const { name, claims: plain, flags, value, envelope } of ACCEPTED) {
    if (envelope === undefined) continue;
    check(`opens: ${name}`, () => {
      const { claims, ...scope } = claimsOf(plain);
      const info = core.inspectEnvelope(envelope);
      same([info.kid, info.claims.kind, info.compressed], [KEYS.A.kid, plain.kind, (flags & DEFLATED) !== 0]);
      const open = (): unknown => core.createSealer({ keyring: rings.A!, ...scope }).open(envelope, claims);
      return (flags & DEFLATED) === 0 ? same(open(), valueIn(value)) : opensDeflated(open, valueIn(value));
    });
  }
  for (const { name, code, envelope, expected, scope, ring } of REJECTED) {
    check(`refuses with ${code}: ${name}`, async () => {
      const { claims } = claimsOf(expected ?? EXPECTED);
      const keyring = rings[ring ?? "A"]!;
      const sealer = core.createSealer(scope === undefined ? { keyring } : { keyring, scope });
      const thrown = await thrownBy(() => sealer.open(envelope, claims));
      holds(thrown instanceof core.StepsealError, "it is a StepsealError");
      return thrown.code === code ? passed : withoutZlib(thrown, "UNSUPPORTED");
    });
  }
}

function opensDeflated(open: () => unknown, value: unknown): Outcome {
  try {
    return same(open(), value);
  } catch (error) {
    return withoutZlib(error, "UNSUPPORTED");
  }
}

const PARENT = Uint8Array.from({ length: 32 }, (_, i) => i);
const CLAIMS: readonly (readonly [name: string, claims: Omit<Claims, "scope">])[] = [
  ...(
    [
      ...["event.field", "invoke.field", "step.input", "step.output", "step.error", "fn.output", "fn.error"],
      ...["signal", "realtime", "defer.input", "metadata", "custom"],
    ] as Claims["kind"][]
  ).map((kind) => [kind, { kind }] as const),
  ["a run", { kind: "step.output", run: "01J000000000000000000000AA", step: "a1b2", parent: PARENT }],
  [
    "every claim, beyond ASCII",
    {
      ...{ kind: "custom", fn: "größe", run: "läuft-✓", step: "步骤 🧾", event: "e", field: "", name: "n" },
      parent: PARENT,
    },
  ],
];

const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["false", false],
  ["zero", 0],
  ["a fraction", -1.5e-7],
  ["the largest whole number", Number.MAX_SAFE_INTEGER],
  ["an empty text", ""],
  ["an empty list", []],
  ["an empty object", {}],
  ["text beyond ASCII", "größe 步骤 🧾 \u0000\u2028\ufeff\u007f"],
  ["half of a surrogate pair", "\ud83d"],
  ["the other half, inside a text", "a\udc00b"],
  ["a key that is half of a surrogate pair", { "\udfff": 1 }],
  ["a key named __proto__", JSON.parse('{"__proto__":{"polluted":true},"a":1}')],
  ["a nested object", { a: [1, 2.5, { b: [[], {}] }], c: null, d: { e: { f: [true] } } }],
  ["no bytes", new Uint8Array(0)],
  ["every byte", Uint8Array.from({ length: 256 }, (_, i) => i)],
  ["bytes inside other memory", new Uint8Array(Uint8Array.from({ length: 64 }, (_, i) => i).buffer, 7, 11)],
];

/** Up to a megabyte, around the blocks of the cipher and the pieces in which text is encoded. */
const LENGTHS = [1, 2, 3, 15, 16, 17, 63, 64, 65, 255, 6143, 6144, 6145, 65_536, 2 ** 20];

/** What is sealed opens again, and nowhere else. */
export function roundTripChecks({ core }: Implementation, check: Check): void {
  const keyring = core.createKeyring({ key: core.generateKey() });
  const sealer = core.createSealer({ keyring });
  const custom = { kind: "custom" } as const;
  const carried = (value: unknown, options: object = {}): unknown => {
    const own = core.createSealer({ keyring, ...options });
    return own.open(JSON.parse(JSON.stringify(own.seal(value, custom))), custom);
  };

  for (const [name, value] of VALUES) check(`seals and opens ${name}`, () => same(carried(value), value));
  for (const length of LENGTHS) {
    check(`seals and opens ${length} bytes and as much text, padded or not`, () => {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
      const text = "aß步🧾 ".repeat(Math.ceil(length / 7)).slice(0, length);
      for (const pad of [false, true]) {
        same(carried(bytes, { pad }), bytes);
        holds(carried(text, { pad }) === text, `a text of ${length} units, padded: ${pad}`);
      }
      return passed;
    });
  }
  for (const [name, claims] of CLAIMS) {
    check(`binds a value to its place: ${name}`, async () => {
      const sealed = sealer.seal("here", claims);
      same(sealer.open(sealed, claims), "here");
      same(core.inspectEnvelope(sealed).claims, { ...claims });
      const other: OpenExpected = { ...claims, kind: claims.kind === "custom" ? "signal" : "custom" };
      await refuses("CONTEXT", () => sealer.open(sealed, other));
      return refuses("CONTEXT", () => core.createSealer({ keyring, scope: "other" }).open(sealed, claims));
    });
  }
  check("knows what is sealed", () => {
    const sealed = sealer.seal(1, custom);
    return same([core.isSealed(sealed), core.isSealed({}), core.isSealed("x")], [true, false, false]);
  });
  check("seals one value to another envelope each time", () => {
    const all = Array.from({ length: 200 }, () => sealer.seal("same", custom).data);
    return same(new Set(all).size, 200);
  });
  check("seals JSON text as it is", () => {
    const sealed = sealer.sealJson('{ "a" : 1.0 }', custom);
    same(sealer.open(sealed, custom), { a: 1 });
    return same(sealer.openJson(sealed, custom), '{ "a" : 1.0 }');
  });
  check("opens nothing of which one bit was changed", async () => {
    const { data, ...rest } = sealer.seal("authentic", custom);
    // From the end of the claims on: nonce, ciphertext and tag.
    for (let at = data.length - 60; at < data.length - 1; at++) {
      const digit = data[at] === "A" ? "B" : "A";
      const altered = { ...rest, data: data.slice(0, at) + digit + data.slice(at + 1) };
      await refuses("CORRUPT", () => sealer.open(altered, custom));
    }
    return passed;
  });
  check("opens nothing under another key", () =>
    refuses("UNKNOWN_KEY", () => {
      const other = core.createSealer({ keyring: core.createKeyring({ key: core.generateKey() }) });
      return other.open(sealer.seal(1, custom), custom);
    }),
  );
  check("refuses a value over the limit, and one without a JSON form", async () => {
    const small = core.createSealer({ keyring, maxPlaintextBytes: 10 });
    await refuses("TOO_LARGE", () => small.seal("more than ten", custom));
    const loop: unknown[] = [];
    loop.push(loop);
    await refuses("FORMAT", () => sealer.seal(loop, custom));
    return refuses("FORMAT", () => sealer.seal({ n: 1n }, custom));
  });
  check("compresses", async () => {
    try {
      core.createSealer({ keyring, compress: true });
    } catch (error) {
      return withoutZlib(error, "CONFIG");
    }
    const text = "all work and no play ".repeat(1000);
    const compressing = core.createSealer({ keyring, compress: true });
    const sealed = compressing.seal(text, custom);
    holds(sealed.data.length < text.length / 4, "it is a quarter at most");
    same(core.inspectEnvelope(sealed).compressed, true);
    const tight = core.createSealer({ keyring, maxInflatedBytes: 1000 });
    await refuses("INFLATE_LIMIT", () => tight.open(sealed, custom));
    return same(sealer.open(sealed, custom), text);
  });
}
