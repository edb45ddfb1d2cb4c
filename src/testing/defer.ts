import type { Op } from "./answer.ts";
import { isObject, storedCopy, text } from "./json.ts";
import type { RunRecord } from "./state.ts";

/** Notes a deferred function to run after this one, or withdraws it. Defers make no steps. */
export function defer(run: RunRecord, op: Op): void {
  if (op.op === "DeferAbort") {
    const target = run.defers.get(text(op.opts.target_hashed_id) ?? "");
    if (target?.status === "after-run") target.status = "aborted";
    return;
  }
  if (run.defers.has(op.id)) return;
  const input = storedCopy(op.opts.input ?? null);
  const functionId = text(op.opts.fn_slug) ?? "";
  const fits = isObject(input) && functionId !== "";
  run.defers.set(op.id, { functionId, input, meta: op.opts.meta, status: fits ? "after-run" : "rejected" });
}
