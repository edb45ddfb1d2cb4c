import { type Environment, processEnv } from "../internal/environment.ts";
import { members, namesOf } from "../internal/members.ts";
import { inngestKey, qstashKey, type SigningKey } from "./key.ts";
import type { InngestKeys, QstashKeys, QstashRegion } from "./options.ts";
import { SignatureError } from "./signature-error.ts";

/** Gives the keys to try, the primary first: at least one. @throws {SignatureError} NO_KEYS */
export type KeySource = (region?: string) => readonly SigningKey[];

/** A key as text, and the option or variable that holds it. */
interface KeyText {
  readonly text: string;
  readonly where: string;
}

/** The regions that the SDK knows (@upstash/qstash, multi-region/utils.ts). */
const REGIONS = ["EU_CENTRAL_1", "US_EAST_1"];
const REGION_KEYS = namesOf<QstashRegion>({ currentSigningKey: true, nextSigningKey: true });

/**
 * Where a verifier or signer finds its keys. Keys given in code are checked now, those of the environment on first
 * use: modules are often loaded where secrets are not.
 *
 * @throws {StepsealError} CONFIG for a key that is none
 */
export function keySource(
  options: InngestKeys | (QstashKeys & { readonly regions?: Readonly<Record<string, QstashRegion>> }),
): KeySource {
  if (options.scheme === "inngest") {
    const { signingKey, signingKeyFallback } = options;
    if (signingKey) inngestKey(signingKey, "signingKey");
    if (signingKeyFallback) inngestKey(signingKeyFallback, "signingKeyFallback");
    return onFirstUse(() => {
      const keys = inngestTexts(options).map(({ text, where }) => inngestKey(text, where));
      return () => demand(keys);
    });
  }
  const { currentSigningKey: current, nextSigningKey: next, regions } = options;
  if (!current && !next && regions === undefined) {
    return onFirstUse(() => qstashFromEnv(options.env ?? processEnv()));
  }
  const inCode = Object.entries(regions ?? {}).map(([region, keys]) => {
    members(keys, `regions.${region}`, REGION_KEYS);
    return [regionName(region), qstashPair(keys, `regions.${region}.`)] as const;
  });
  return byRegion(qstashPair(options, ""), regions && new Map(inCode));
}

/** The Inngest keys, each of the options or else of the environment; a fallback needs a primary. */
export function inngestTexts(options: Omit<InngestKeys, "scheme">): readonly KeyText[] {
  const { signingKey, signingKeyFallback, env = processEnv() } = options;
  return pair(
    signingKey ? [signingKey, "signingKey"] : [env.INNGEST_SIGNING_KEY, "INNGEST_SIGNING_KEY"],
    signingKeyFallback
      ? [signingKeyFallback, "signingKeyFallback"]
      : [env.INNGEST_SIGNING_KEY_FALLBACK, "INNGEST_SIGNING_KEY_FALLBACK"],
  );
}

function qstashFromEnv(env: Environment): KeySource {
  const keysOf = (prefix: string): readonly SigningKey[] => {
    const names = [`${prefix}QSTASH_CURRENT_SIGNING_KEY`, `${prefix}QSTASH_NEXT_SIGNING_KEY`] as const;
    return qstashKeys(pair([env[names[0]], names[0]], [env[names[1]], names[1]]));
  };
  const regions = env.QSTASH_REGION
    ? REGIONS.map((region) => [region, keysOf(`${region}_`)] as const)
    : undefined;
  return byRegion(keysOf(""), regions && new Map(regions));
}

function qstashPair(
  keys: Pick<QstashKeys, "currentSigningKey" | "nextSigningKey">,
  where: string,
): SigningKey[] {
  const { currentSigningKey: current, nextSigningKey: next } = keys;
  return qstashKeys(pair([current, `${where}currentSigningKey`], [next, `${where}nextSigningKey`]));
}

function qstashKeys(texts: readonly KeyText[]): SigningKey[] {
  return texts.map(({ text, where }) => qstashKey(text, where));
}

type Named = readonly [text: string | undefined, where: string];

function pair([primary, primaryName]: Named, [fallback, fallbackName]: Named): readonly KeyText[] {
  if (!primary) return [];
  const first = { text: primary, where: primaryName };
  return fallback ? [first, { text: fallback, where: fallbackName }] : [first];
}

function byRegion(
  standard: readonly SigningKey[],
  regions: ReadonlyMap<string, readonly SigningKey[]> | undefined,
): KeySource {
  return (region) => {
    if (regions === undefined || region === undefined) return demand(standard);
    // The SDK falls back to the standard keys. A request that names a region is signed with a key of the region.
    return demand(regions.get(regionName(region)) ?? []);
  };
}

/** `EU-CENTRAL-1` of the header is `EU_CENTRAL_1` of the variables. */
export function regionName(region: string): string {
  return region.replaceAll("-", "_").toUpperCase();
}

function demand(keys: readonly SigningKey[]): readonly SigningKey[] {
  if (keys.length > 0) return keys;
  throw new SignatureError("NO_KEYS", "No signing key is configured, or none of the request's region.");
}

/** Reads once, unless nothing is found: the environment may be filled later. */
function onFirstUse(read: () => KeySource): KeySource {
  let found: KeySource | undefined;
  return (region) => {
    const source = found ?? read();
    const keys = source(region);
    found = source;
    return keys;
  };
}
