import { expect, test, vi } from "vitest";
import { abandoned, OutsideFailure } from "../../../src/adapters/inngest/outside-failure.ts";

/** Whether a promise has settled by the time that the event loop comes around. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  const done = vi.fn();
  promise.then(done, done);
  await new Promise((resolve) => setImmediate(resolve));
  return done.mock.calls.length > 0;
}

test("a run that is failed from the outside fails once, for whoever waits, and the step that did it never ends", async () => {
  const outside = new OutsideFailure();
  expect(outside.happened).toBe(false);
  expect(await settles(outside.promise)).toBe(false);
  const step = outside.fail("first");
  void outside.fail("second");
  expect(outside.happened).toBe(true);
  await expect(outside.promise).rejects.toBe("first");
  expect(await settles(step)).toBe(false);
});

test("whoever wants to hear of the end of what never ends hears of it at once", async () => {
  const promise = abandoned();
  const heard = vi.fn();
  expect(promise.finally(heard)).toBe(promise);
  expect(heard).toHaveBeenCalledOnce();
  expect(promise.finally()).toBe(promise);
  expect(await settles(promise)).toBe(false);
});
