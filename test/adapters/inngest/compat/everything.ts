import type { Inngest } from "inngest";
import type { Build, Fleet } from "./fleet.ts";

export const VALUES: readonly unknown[] = [
  { text: "ünïcode 🔒", nested: { list: [1, 2.5, null, true] } },
  "text",
  0,
  false,
  "",
  null,
  [],
];

/** Every path that both middlewares encrypt, so that each pod meets what the other one sealed. */
export const everything: Build = (inngest, see) => {
  const child = inngest.createFunction({ id: "child", triggers: [], retries: 0 }, async ({ event, step }) => {
    const data: { readonly n?: number; readonly encrypted?: unknown } = event.data;
    see("child", data);
    const inner = await step.run("inner", () => ({ doubled: Number(data.n) * 2 }));
    return { inner, got: data.encrypted ?? "nothing" };
  });
  const parent = inngest.createFunction(
    { id: "parent", triggers: { event: "shop/go" }, retries: 0 },
    async ({ event, events, step }) => {
      see("event", event.data);
      see(
        "events",
        events.map(({ data }) => data),
      );
      for (const [n, value] of VALUES.entries()) see(`step ${n}`, await step.run(`step-${n}`, () => value));
      const [p, q] = await Promise.all([step.run("p", () => "left"), step.run("q", () => ({ right: 1 }))]);
      see("parallel", [p, q]);
      see(
        "invoke",
        await step.invoke("invoke", { function: child, data: { n: 21, encrypted: { card: "4111" } } }),
      );
      see("invoke, nothing sealed", await step.invoke("invoke-2", { function: child, data: { n: 1 } }));
      await step.sendEvent("send", { name: "shop/sent", data: { encrypted: { note: "sent" } } });
      await step.sleep("nap", "1h");
      const waited = await step.waitForEvent("wait", { event: "shop/answer", timeout: "1d" });
      see("waited for", { order: waited?.data.order });
      see("the second time", await step.run("again", () => ({ secret: "again" })));
      return { finished: true, card: event.data.encrypted.card };
    },
  );
  const listener = inngest.createFunction(
    { id: "listener", triggers: { event: "shop/sent" } },
    ({ event }) => {
      see("sent", event.data.encrypted);
    },
  );
  return [parent, child, listener];
};

/** Sends what starts it, and what it waits for. */
export async function play({ engine }: Fleet, sender: Inngest): Promise<void> {
  await sender.send({ name: "shop/go", data: { order: 17, encrypted: { card: "4111 1111" } } });
  await engine.idle();
  await engine.advance("1h");
  await sender.send({ name: "shop/answer", data: { order: 17, encrypted: { answer: "yes" } } });
  await engine.idle();
}

/** What user code saw, without pods and replays: the first sight of each thing. */
export function sights({ seen }: Fleet): Record<string, unknown> {
  const first: Record<string, unknown> = {};
  for (const { what, value } of seen) if (!(what in first)) first[what] = withoutPlatform(value);
  return first;
}

const withoutPlatform = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner) => (key === "_inngest" ? undefined : inner)));
