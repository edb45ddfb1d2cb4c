import { SDK } from "../adapters/inngest/harness.ts";

/** What becomes of what leaves on a path. `refused`: the call fails, and nothing leaves. */
export type Fate = "sealed" | "visible" | "refused";

interface Path {
  readonly path: string;
  readonly fate: Fate;
  readonly markers: readonly string[];
  /** What of the SDK it needs that the oldest one lacks. */
  readonly needs?: keyof typeof SDK;
}

/**
 * Every path by which data leaves an app, and the markers that the leak app puts on it. docs/threat-model.md
 * shows this table with what was found.
 */
const ALL = [
  {
    path: "sealed fields of events: sent by the client, by `step.sendEvent`, in a function outside a step",
    fate: "sealed",
    markers: ["clientEvent", "bareEvent", "stepEvent", "eventKey", "waitedEvent"],
  },
  { path: "other fields of events", fate: "visible", markers: ["plainField"] },
  { path: "`user` of events", fate: "refused", markers: ["clientUser", "stepUser"] },
  {
    path: "results of steps: `step.run`, `ai.wrap`, in parallel, object keys",
    fate: "sealed",
    markers: [
      "outputText",
      "outputObject",
      "outputKey",
      "outputList",
      "outputParallel",
      "outputError",
      "wrapOutput",
      "experimentOutput",
    ],
  },
  { path: "inputs of steps: `step.run`, `ai.wrap`", fate: "sealed", markers: ["input", "wrapInput"] },
  {
    path: "errors of steps: message, name, cause, code; texts and objects thrown",
    fate: "sealed",
    markers: [
      "stepError",
      "stepName",
      "stepCause",
      "stepCode",
      "stepString",
      "stepObject",
      "stepFinal",
      "stepAggregate",
    ],
  },
  {
    path: "errors of functions",
    fate: "sealed",
    markers: ["functionError", "functionCause", "functionString", "functionFinal"],
  },
  {
    path: "results of functions, of `onFailure`",
    fate: "sealed",
    markers: ["functionOutput", "waitOutput", "failureOutput"],
  },
  { path: "sealed fields of `step.invoke` payloads", fate: "sealed", markers: ["invokePayload"] },
  { path: "other fields of `step.invoke` payloads", fate: "visible", markers: ["invokePlain"] },
  { path: "results and errors of `step.invoke`", fate: "sealed", markers: ["invokeOutput", "invokeError"] },
  {
    path: "data of signals: of a step, of the client",
    fate: "sealed",
    markers: ["stepSignal", "clientSignal"],
  },
  {
    path: "realtime messages: of a step, of the client",
    fate: "sealed",
    markers: ["stepRealtime", "clientRealtime"],
  },
  {
    path: "values of metadata: of a step, of another run",
    fate: "sealed",
    markers: ["stepMetadata", "runMetadata"],
  },
  {
    path: "input of `defer`, result of the deferred function",
    fate: "sealed",
    markers: ["deferInput", "deferOutput"],
    needs: "defers",
  },
  {
    path: "`step.ai.infer`: key, headers, prompt",
    fate: "refused",
    markers: ["inferKey", "inferHeader", "inferPrompt"],
  },
  {
    path: "`step.fetch` and the SDK's `fetch`: URL, headers, body",
    fate: "refused",
    markers: ["fetchUrl", "fetchHeader", "fetchBody", "stepFetchUrl", "stepFetchHeader", "stepFetchBody"],
  },
  {
    path: "durable endpoints: request, results of steps, answer",
    fate: "refused",
    markers: ["endpointRequest", "endpointStep", "endpointAnswer"],
  },
  { path: "`stream.push`", fate: "refused", markers: ["stream"], needs: "streams" },
  { path: "sandboxes", fate: "refused", markers: ["sandbox"], needs: "sandboxes" },
  {
    path: "names and ids: of functions, steps, events, signals, channels, topics, kinds of metadata",
    fate: "visible",
    markers: ["functionId", "stepId", "eventName", "signalName", "channel", "topic", "metadataKind"],
  },
  {
    path: "expressions; names of experiments and variants",
    fate: "visible",
    markers: ["expression", "experimentName", "variant"],
  },
  { path: "`meta` of events", fate: "visible", markers: ["eventMeta"] },
  { path: "names and values of scores", fate: "visible", markers: ["scoreName"], needs: "scores" },
] as const satisfies readonly Path[];

export type MarkerName = (typeof ALL)[number]["markers"][number];

/** Markers on a path that needs more of the SDK than its other markers. */
const NEEDS: Readonly<Partial<Record<string, keyof typeof SDK>>> = {
  experimentOutput: "experiments",
  experimentName: "experiments",
  variant: "experiments",
};

const has = (needs: keyof typeof SDK | undefined): boolean => needs === undefined || SDK[needs];

/** Those that this SDK has. */
export const PATHS: readonly Path[] = ALL.filter((path: Path) => has(path.needs)).map((path) => ({
  ...path,
  markers: path.markers.filter((name) => has(NEEDS[name])),
}));

const NAMES: readonly MarkerName[] = ALL.flatMap(({ markers }) => [...markers]);

/** One text for each marker. No marker is part of another. */
export const MARKERS = Object.fromEntries(NAMES.map((name) => [name, `mk-${name}-km`])) as Readonly<
  Record<MarkerName, string>
>;

/** The names of the markers with one of these fates, sorted. */
export function markersOf(...fates: Fate[]): string[] {
  return PATHS.filter(({ fate }) => fates.includes(fate))
    .flatMap(({ markers }) => [...markers])
    .sort();
}
