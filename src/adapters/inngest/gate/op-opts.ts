import { StepsealError } from "../../../errors.ts";
import { tokenOf } from "./context.ts";
import { EXPERIMENT_MEMBER, INVOKED_EVENT, isObject } from "./event.ts";
import { sealFields } from "./events.ts";
import type { OpScope, WireOp } from "./op.ts";
import { checkMembers, stepLabel } from "./refusals.ts";
import { checkUser } from "./sent-events.ts";

/** Arguments of `step.run` and `step.ai.wrap`: one envelope. */
export function sealInput(
  opts: Record<string, unknown>,
  op: WireOp,
  { context, sealer }: OpScope,
): Record<string, unknown> {
  if (opts.input === undefined) return opts;
  const { fn, run, trigger } = context;
  const claims = { kind: "step.input", fn, run, step: String(op.id), parent: trigger } as const;
  return { ...opts, input: sealer.seal(opts.input, claims) };
}

const PAYLOAD_KEYS = new Set(["data", "v", "meta"]);

/** The payload of `step.invoke`: the named fields, bound to the function that is invoked and to this call. */
export function sealInvoke(
  opts: Record<string, unknown>,
  op: WireOp,
  scope: OpScope,
): Record<string, unknown> {
  const { payload, function_id: target } = opts;
  if (!isObject(payload) || typeof target !== "string") {
    throw new StepsealError("REFUSED", `step ${stepLabel(op)}: an invocation without payload or target`);
  }
  const { user, ...rest } = payload;
  // Of v3 alone, and refused in the call, unless it is allowed or empty.
  checkUser({ name: INVOKED_EVENT, user }, scope.options);
  checkMembers(rest, PAYLOAD_KEYS, `step ${stepLabel(op)}: its payload`);
  const parent = tokenOf(scope.context, String(op.id), scope.options);
  const data = sealFields(payload.data, scope.options.eventFields, (value, field) =>
    scope.sealer.seal(value, { kind: "invoke.field", fn: target, field, parent }),
  );
  return { ...opts, payload: { ...payload, data: withCarrier(data, target, parent, scope) } };
}

/**
 * A payload without a sealed field gets an empty envelope, which carries the caller's token to the invoked
 * function and is removed there.
 */
function withCarrier(
  data: Record<string, unknown> | undefined,
  fn: string,
  parent: Uint8Array,
  { options, sealer }: OpScope,
): Record<string, unknown> | undefined {
  // A function without stepseal would see it, and returns no token; one with the official middleware would fail on it.
  if (options.plainFunctions.has(fn) || options.legacy.writes) return data;
  for (const name of options.eventFields) {
    if (data !== undefined && Object.hasOwn(data, name)) return data;
  }
  let [field = "encrypted"] = options.eventFields;
  while (data !== undefined && Object.hasOwn(data, field)) field = `_${field}`;
  return { ...data, [field]: sealer.seal(undefined, { kind: "invoke.field", fn, field, parent }) };
}

/** The input of `defer()`: one envelope, which has to stay an object, with the SDK's own member beside it. */
export function sealDefer(
  opts: Record<string, unknown>,
  _op: WireOp,
  { options, sealer }: OpScope,
): Record<string, unknown> {
  if (options.allows("defer")) return opts;
  if (typeof opts.fn_slug !== "string")
    throw new StepsealError("REFUSED", "a deferred call without a target");
  // The SDK puts the reference of an experiment into the input, and takes it out again on the other side.
  const input = isObject(opts.input) ? { ...opts.input } : opts.input;
  const experiment = isObject(input) ? input[EXPERIMENT_MEMBER] : undefined;
  if (isObject(input)) delete input[EXPERIMENT_MEMBER];
  const sealed = sealer.seal(input, { kind: "defer.input", fn: opts.fn_slug });
  return {
    ...opts,
    input: Object.assign(sealed, experiment !== undefined && { [EXPERIMENT_MEMBER]: experiment }),
  };
}
