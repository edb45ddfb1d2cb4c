import type { Timing } from "./paired.ts";
import type { Results } from "./results.ts";
import { isMet, sizeName, targetsOf } from "./targets.ts";

/** What was measured, for people. */
export function tableOf(results: Results): string {
  const { node, cpu, values, resume, coldStart, signing } = results;
  const lines = [
    `Node ${node}, ${cpu}. Times in µs: median (quartiles). ×: as fast as the official middleware.`,
    "",
  ];
  lines.push("| data | size | seal | × | open | × | open, last of five | × | seal and open ÷ floor |");
  lines.push("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
  for (const { kind, size, times, seal, open, openLastOfFive, floor } of values) {
    const cells = [
      kind,
      sizeName(size),
      timing(times.seal),
      seal.toFixed(1),
      timing(times.open),
      open.toFixed(1),
      timing(times.openLastOfFive),
      openLastOfFive.toFixed(1),
      floor.toFixed(2),
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  const json = values.filter(({ kind }) => kind === "json");
  lines.push(
    "",
    "For reference, nested JSON: the cipher of each library alone, without claims, key lookup or checks.",
    "",
  );
  lines.push("| size | seal: libsodium | node:crypto | noble | open: libsodium | node:crypto | noble |");
  lines.push("|--:|--:|--:|--:|--:|--:|--:|");
  for (const { size, times } of json) {
    const names = ["libsodiumSeal", "nodeSeal", "nobleSeal", "libsodiumOpen", "nodeOpen", "nobleOpen"];
    lines.push(`| ${sizeName(size)} | ${names.map((name) => timing(times[name])).join(" | ")} |`);
  }
  lines.push(
    "",
    `A run resumed with ${resume.steps} steps of 1 KB, one request through the SDK, ms: ${(
      ["none", "stepseal", "official"] as const
    )
      .map((name) => `${name} ${(resume.times[name].median / 1000).toFixed(1)}`)
      .join(
        ", ",
      )}; × ${resume.ratio.toFixed(1)}, without the SDK's own time × ${resume.ratioOfOverhead.toFixed(1)}.`,
    `Cold start (import, first seal, first open), ms: bundled, stepseal ${coldStart.stepsealBundled.toFixed(1)}, official ${coldStart.officialBundled.toFixed(1)}; from node_modules, stepseal ${coldStart.stepseal.toFixed(1)}, official ${coldStart.official.toFixed(1)}.`,
    `Signatures of 16 KB: ${Object.entries(signing)
      .map(([name, time]) => `${name} ${timing(time)}`)
      .join(", ")}.`,
    "",
  );
  for (const target of targetsOf(results)) {
    const sign = target.atMost ? "≤" : "≥";
    lines.push(
      `${isMet(target) ? "met   " : "MISSED"} ${target.name}: ${target.value.toFixed(2)} (${sign} ${target.limit})`,
    );
  }
  return lines.join("\n");
}

function timing(time: Timing | undefined): string {
  if (time === undefined) return "";
  return `${short(time.median)} (${short(time.spread[0])}–${short(time.spread[1])})`;
}

function short(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toFixed(1);
}
