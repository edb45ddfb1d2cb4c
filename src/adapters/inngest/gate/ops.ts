import { StepsealError } from "../../../errors.ts";
import { resultPlace } from "./context.ts";
import { isObject } from "./event.ts";
import { sealMetadata } from "./metadata.ts";
import type { OpScope, WireOp } from "./op.ts";
import { sealDefer, sealInput, sealInvoke } from "./op-opts.ts";
import type { PlaintextPath } from "./options.ts";
import { refusedPath, stepLabel, unknownPath } from "./refusals.ts";
import { COMPLETE } from "./steps.ts";
import { sealWireError } from "./wire-error.ts";

/** How an op of one kind leaves: which members its `opts` may have, and what happens to what it carries. */
export interface OpRule {
  /** Members of `opts` beside those that every op may have. */
  readonly opts: readonly string[];
  /** What `data` holds; an op without this must carry null. */
  readonly data?: "step.output" | "fn.output" | "error-copy";
  readonly error?: true;
  /** Rewrites `opts`, which has only known members by then. */
  readonly sealOpts?: (opts: Record<string, unknown>, op: WireOp, scope: OpScope) => Record<string, unknown>;
  readonly unless?: PlaintextPath;
}

/** Names and ids, no data: every op may carry them. */
export const COMMON_OPTS: ReadonlySet<string> = new Set([
  "type",
  "parallelMode",
  "span",
  "origin",
  "experimentStepID",
  "experimentName",
  "variant",
  "selectionStrategy",
]);

const RUN_OPTS = ["input", "signal"] as const;

/**
 * Every op of the SDK, and what leaves with it. An op that is not here, or that carries a member which is not
 * here, is refused: after an SDK upgrade a new path for data meets a closed door. docs/engines/inngest.md lists the same.
 */
export const OP_RULES: ReadonlyMap<unknown, OpRule> = new Map<unknown, OpRule>([
  ["StepRun", { opts: RUN_OPTS, data: "step.output", sealOpts: sealInput }],
  ["StepError", { opts: RUN_OPTS, error: true, sealOpts: sealInput }],
  ["StepFailed", { opts: RUN_OPTS, error: true, data: "error-copy", sealOpts: sealInput }],
  ["StepPlanned", { opts: RUN_OPTS, sealOpts: sealInput }],
  ["RunComplete", { opts: [], data: "fn.output" }],
  ["Sleep", { opts: [] }],
  ["WaitForEvent", { opts: ["timeout", "if"] }],
  ["WaitForSignal", { opts: ["signal", "timeout", "conflict"] }],
  ["InvokeFunction", { opts: ["payload", "function_id", "timeout"], sealOpts: sealInvoke }],
  ["AIGateway", { opts: ["url", "headers", "auth_key", "format", "body"], unless: "ai-infer" }],
  ["Gateway", { opts: ["url", "method", "headers", "body"], unless: "fetch" }],
  ["DiscoveryRequest", { opts: [] }],
  ["DeferAdd", { opts: ["fn_slug", "input", "meta"], sealOpts: sealDefer }],
  ["DeferAbort", { opts: ["target_hashed_id", "fn_slug", "id"] }],
]);

/** Members that leave, sealed or because they are names, ids and times. */
export const OP_KEYS: ReadonlySet<string> = new Set([
  "id",
  "op",
  "name",
  "displayName",
  "userland",
  "opts",
  "data",
  "error",
  "timing",
  "metadata",
]);

/**
 * What the SDK holds about a step and serialises along with it when it checkpoints: arguments and results in
 * plaintext among them, and nothing that a server reads. Dropped.
 */
const INTERNAL_KEYS = new Set([
  "mode",
  "rawArgs",
  "hashedId",
  "input",
  "promise",
  "fulfilled",
  "hasStepState",
  "handled",
  "seen",
  "middleware",
  "memoizationDeferred",
  "transformedResultPromise",
]);

/**
 * Seals one op.
 *
 * @throws {StepsealError} `REFUSED` for an op, a member or a value that this version does not know, or a path that
 * cannot be sealed and is not allowed
 */
export function sealOp(op: unknown, scope: OpScope): WireOp {
  if (!isObject(op)) throw new StepsealError("REFUSED", "the SDK reported an op that is not an object");
  const { op: code, id } = op;
  const rule = OP_RULES.get(code);
  const at = `op ${JSON.stringify(code)} of step ${stepLabel(op)}`;
  if (rule === undefined) throw unknownPath(at);
  if (typeof id !== "string") throw new StepsealError("REFUSED", `${at}: its id is not a string`);
  if (rule.unless !== undefined && !scope.options.allows(rule.unless)) throw refusedPath(rule.unless, at);

  const out: WireOp = {};
  for (const key of Object.keys(op)) {
    if (OP_KEYS.has(key)) out[key] = op[key];
    else if (!INTERNAL_KEYS.has(key)) throw unknownPath(`${at}: member "${key}"`);
  }

  if (isObject(op.opts)) {
    for (const key of Object.keys(op.opts)) {
      if (!rule.opts.includes(key) && !COMMON_OPTS.has(key)) throw unknownPath(`${at}: member "opts.${key}"`);
    }
    out.opts = rule.sealOpts?.(op.opts, op, scope) ?? op.opts;
  } else if (op.opts !== undefined && op.opts !== null) {
    throw new StepsealError("REFUSED", `${at}: its opts are not an object`);
  }
  if (op.metadata !== undefined) out.metadata = sealMetadata(op.metadata, scope);
  sealResult(out, rule, at, scope);
  return out;
}

/** Seals `data` and `error`; leaves neither where the rule has none. */
function sealResult(out: WireOp, rule: OpRule, at: string, { context, sealer, options }: OpScope): void {
  const { fn, run, trigger } = context;
  const step = { fn, run, step: String(out.id), parent: trigger };
  const result = resultPlace(context);

  // The SDK reports a falsy thrown value without an error; the platform tells such a report from others.
  if (rule.error && out.error !== undefined && out.error !== null) {
    // A failure of the function itself is reported as a step without a name of the user's, under an id of its own; SDKs
    // before 3.40 give no step such a name.
    const sealed = sealWireError(
      out.error,
      out.userland === undefined && out.id === COMPLETE
        ? { kind: "fn.error", ...result }
        : { kind: "step.error", ...step },
      sealer,
      options.errors,
    );
    out.error = sealed;
    if (rule.data === "error-copy" && out.data !== undefined && out.data !== null) {
      out.data = { __serialized: true, name: sealed.name, message: sealed.message, stack: "" };
      return;
    }
  } else if (!rule.error && out.error !== undefined && out.error !== null) {
    throw new StepsealError("REFUSED", `${at}: it carries an error, which an op of this kind should not`);
  }

  if (rule.data === "step.output") out.data = sealer.seal(out.data ?? null, { kind: "step.output", ...step });
  else if (rule.data === "fn.output") {
    if (context.endpoint !== true) out.data = sealer.seal(out.data ?? null, { kind: "fn.output", ...result });
  } else if (out.data !== undefined && out.data !== null) {
    throw new StepsealError("REFUSED", `${at}: it carries data, which an op of this kind should not`);
  }
}
