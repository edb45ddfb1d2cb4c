import type { Results } from "./results.ts";
import { sizeName } from "./targets.ts";

const WIDTH = 640;
const HEIGHT = 280;
const LEFT = 56;
const BOTTOM = 44;
const TOP = 44;

/** Bars by size: how many times faster than the official middleware sealing and opening are. SVG. */
export function plotOf({ values, node }: Results): string {
  const json = values.filter(({ kind }) => kind === "json");
  const series = [
    { name: "seal", color: "#2f6fde", of: (i: number) => json[i]?.seal ?? 0 },
    { name: "open", color: "#12a37f", of: (i: number) => json[i]?.open ?? 0 },
    { name: "open, key last of five", color: "#b26bd6", of: (i: number) => json[i]?.openLastOfFive ?? 0 },
  ];
  const most = Math.max(...json.flatMap((_, i) => series.map(({ of }) => of(i))));
  // Powers of two, because the figures span two of ten.
  const steps = Math.ceil(Math.log2(most));
  const y = (times: number): number =>
    HEIGHT - BOTTOM - (Math.log2(Math.max(times, 1)) / steps) * (HEIGHT - BOTTOM - TOP);
  const group = (WIDTH - LEFT - 16) / json.length;
  const bar = group / 4;
  const title = `Times as fast as @inngest/middleware-encryption 2.0.0 (nested JSON, Node ${node})`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18" font-weight="bold">${title}</text>`,
  ];
  for (let step = 0; step <= steps; step++) {
    const at = y(2 ** step);
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${at}" y2="${at}" stroke="#e3e3e8"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${2 ** step}×</text>`);
  }
  for (const [i, { size }] of json.entries()) {
    const x = LEFT + i * group + bar / 2;
    for (const [j, { color, of }] of series.entries()) {
      const top = y(of(i));
      parts.push(
        `<rect x="${(x + j * bar).toFixed(1)}" y="${top.toFixed(1)}" width="${(bar - 3).toFixed(1)}" height="${(HEIGHT - BOTTOM - top).toFixed(1)}" fill="${color}"/>`,
      );
      parts.push(
        `<text x="${(x + j * bar + (bar - 3) / 2).toFixed(1)}" y="${(top - 4).toFixed(1)}" text-anchor="middle" font-size="10">${of(i).toFixed(1)}</text>`,
      );
    }
    parts.push(
      `<text x="${(x + 1.5 * bar).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${sizeName(size)}</text>`,
    );
  }
  let x = LEFT;
  for (const { name, color } of series) {
    parts.push(`<rect x="${x}" y="${HEIGHT - 16}" width="10" height="10" fill="${color}"/>`);
    parts.push(`<text x="${x + 16}" y="${HEIGHT - 7}">${name}</text>`);
    x += 40 + name.length * 7;
  }
  parts.push("</svg>", "");
  return parts.join("\n");
}
