/** The headers a message is published with: lower-case names, `upstash-…` and `content-type` alone. */
export type Fields = Readonly<Record<string, string>>;

/** Headers the platform writes itself, whatever the publisher wants forwarded. */
const OWN = new Set([
  "user-agent",
  "upstash-message-id",
  "upstash-retried",
  "upstash-signature",
  "upstash-caller-ip",
]);
/** Headers of a connection, which no message carries on. */
const HOP = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

const FORWARD = "upstash-forward-";

/** Reads fields from headers of a request, or from a header map of a JSON body, where values may be arrays. */
export function fieldsOf(headers: Readonly<Record<string, unknown>>): Fields {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    const text = Array.isArray(value) ? value.join(", ") : value;
    if (typeof text !== "string") continue;
    if (key.startsWith("upstash-") || key === "content-type") fields[key] = text;
  }
  return fields;
}

/** The fields of a message's callback, which stand among its own as `upstash-callback-…`. */
export function nestedFields(fields: Fields, under: "callback" | "failure-callback"): Fields {
  const prefix = `upstash-${under}-`;
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [`upstash-${name.slice(prefix.length)}`, value]),
  );
}

/** The headers a message is delivered with, those of the platform aside. */
export function forwardedHeaders(fields: Fields): Record<string, string> {
  const headers: Record<string, string> = {};
  if (fields["content-type"] !== undefined) headers["content-type"] = fields["content-type"];
  for (const [name, value] of Object.entries(fields)) {
    if (!name.startsWith(FORWARD)) continue;
    const forwarded = name.slice(FORWARD.length);
    if (forwarded !== "" && !OWN.has(forwarded) && !HOP.has(forwarded)) headers[forwarded] = value;
  }
  return headers;
}

/**
 * What a message of a run takes over from the run's trigger: retries, failure callback, user headers. The headers of
 * the protocol itself are each message's own: with the version header of the trigger, a callback could not be read.
 */
export function inheritedFields(trigger: Fields): Fields {
  return Object.fromEntries(
    Object.entries(trigger).filter(
      ([name]) =>
        /^upstash-(?:retries|retry-delay|timeout|label|redact-fields|flow-control-.*|failure-callback.*)$/.test(
          name,
        ) ||
        (name.startsWith(FORWARD) && !name.startsWith(`${FORWARD}upstash-workflow-`)),
    ),
  );
}

/** Whether a message asks for a feature by `Upstash-Feature-Set`. */
export function hasFeature(fields: Fields, feature: string): boolean {
  return (fields["upstash-feature-set"] ?? "").split(",").some((one) => one.trim() === feature);
}

/** Headers as Go's `http.Header` writes them in JSON: canonical names, arrays of values. */
export function goHeaders(headers: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase()),
      [value],
    ]),
  );
}
