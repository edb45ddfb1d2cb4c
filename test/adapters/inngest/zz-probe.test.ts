import { writeFileSync } from "node:fs";
import { test } from "vitest";
import { differences } from "/work/main/test/adapters/inngest/differences.ts";
import { observe } from "/work/main/test/adapters/inngest/observe.ts";
import { ERROR_SCENARIOS } from "/work/main/test/adapters/inngest/scenarios/errors.ts";
import { EVENT_SCENARIOS } from "/work/main/test/adapters/inngest/scenarios/events.ts";
import { STEP_SCENARIOS } from "/work/main/test/adapters/inngest/scenarios/steps.ts";
import { VALUE_SCENARIOS } from "/work/main/test/adapters/inngest/scenarios/values.ts";

const modes = process.env.MODES_ALL ? [true, false, { bufferedSteps: 5 }] : [false];
test("probe", async () => {
  let out = "";
  for (const s of [...STEP_SCENARIOS, ...EVENT_SCENARIOS, ...ERROR_SCENARIOS, ...VALUE_SCENARIOS])
    for (const checkpointing of modes) {
      if (process.env.ONLY && !s.name.includes(process.env.ONLY)) continue;
      out += `\n### ${s.name} ${JSON.stringify(checkpointing)}\n`;
      try {
        const t = Date.now();
        const a = await observe(s, { seal: null, checkpointing });
        const m = Date.now();
        const b = await observe(s, { checkpointing });
        out += `(${a.seen.length} sights, ${a.wire.length} wire, ${m - t}/${Date.now() - m} ms) ${s.name}\n`;
        if (process.env.DUMP) out += JSON.stringify(a, null, 1) + "\n@@@@\n" + JSON.stringify(b, null, 1);
        for (const k of ["seen", "runs", "wire"] as const) {
          if (a[k].length !== b[k].length) {
            out += `LENGTH ${k} ${a[k].length} ${b[k].length}\n`;
            const i = a[k].findIndex((x, i) => differences(x, b[k][i]).length);
            out += `first at ${i}: ${JSON.stringify(a[k].slice(i, i + 2)).slice(0, 600)}\n  VS ${JSON.stringify(b[k].slice(i, i + 2)).slice(0, 600)}\n`;
          } else
            out +=
              differences(a[k], b[k], k)
                .slice(0, 40)
                .map((x) => x.slice(0, 500))
                .join("\n") + "\n";
        }
      } catch (e) {
        out += "THROWN " + (e as Error).stack?.slice(0, 600) + "\n";
      }
    }
  writeFileSync("/tmp/probe.out", out);
}, 500000);
