import { Inngest, referenceFunction } from "inngest";
import { describe, expect, test } from "vitest";
import { invokedId } from "../../../src/adapters/inngest/invoked.ts";
import { SDK } from "./harness.ts";

describe.skipIf(!SDK.v4)("the function that step.invoke is given is known by", () => {
  const other = new Inngest({ id: "other", isDev: true });
  const fn = other.createFunction({ id: "child", triggers: [] }, () => 1);

  test.each([
    ["its client's id and its own", { function: fn }, "other-child"],
    [
      "the app's id and its own, in a reference",
      { function: referenceFunction({ appId: "far", functionId: "child" }) },
      "far-child",
    ],
    [
      "this client's id, in a reference that names no app",
      { function: referenceFunction({ functionId: "child" }) },
      "app-child",
    ],
    [
      "this client's id, in one that names an empty one",
      { function: { opts: { appId: "", functionId: "child" } } },
      "app-child",
    ],
    ["nothing, where there is no id", { function: { opts: { appId: "far" } } }, undefined],
    ["nothing, where it is none", { function: {} }, undefined],
    ["nothing, where it is a text", { function: "far-child" }, undefined],
    ["nothing, where there is none", {}, undefined],
    ["nothing, where nothing is given", undefined, undefined],
  ])("%s", (_name, called, id) => {
    expect(invokedId(called, "app")).toBe(id);
  });
});
