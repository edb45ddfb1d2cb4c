import type * as Core from "stepseal";
import type * as Inngest from "stepseal/inngest";
import type * as Testing from "stepseal/testing";
import type * as Transport from "stepseal/transport";

// What is measured is what ships: the build. Its types are those of the sources, which need no build.
const built = (name: string): Promise<unknown> => import(new URL(`../dist/${name}.js`, import.meta.url).href);

export const { createKeyring, createSealer, generateKey } = (await built("index")) as typeof Core;
export const { encryptionMiddleware } = (await built("inngest")) as typeof Inngest;
export const { createTestEngine } = (await built("testing")) as typeof Testing;
export const { createSigner, createVerifier } = (await built("transport")) as typeof Transport;
