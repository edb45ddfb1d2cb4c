import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { ROOT, type Start, started } from "./app.ts";

const FOLDER = `${ROOT}examples/nextjs`;
const NEXT = `${FOLDER}/node_modules/next/dist/bin/next`;

/**
 * Builds a copy of the example with the real Next.js and starts it. The copy finds stepseal as it is built, in its
 * node_modules, or, by `paths`, what does nothing in its place.
 */
export const nextApp: Start = async (env, sealed) => {
  const copy = `${FOLDER}/.check/${sealed ? "sealed" : "plain"}`;
  await rm(copy, { recursive: true, force: true });
  await mkdir(`${copy}/node_modules`, { recursive: true });
  for (const name of ["app", "inngest", "package.json", "tsconfig.json"]) {
    await cp(`${FOLDER}/${name}`, `${copy}/${name}`, { recursive: true });
  }
  if (sealed) await symlink(ROOT, `${copy}/node_modules/stepseal`);
  else {
    const config = JSON.parse(await readFile(`${copy}/tsconfig.json`, "utf8"));
    config.compilerOptions.paths = { "stepseal/inngest": ["../../../without-stepseal/inngest.ts"] };
    await writeFile(`${copy}/tsconfig.json`, JSON.stringify(config));
  }
  const silent = { ...env, NEXT_TELEMETRY_DISABLED: "1" };
  await promisify(execFile)(process.execPath, [NEXT, "build"], {
    cwd: copy,
    env: { ...silent, PATH: process.env.PATH, NODE_ENV: "production" },
  });
  return started(process.execPath, [NEXT, "start", "-H", "127.0.0.1"], copy, silent);
};
