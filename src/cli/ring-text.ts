import { lstatSync, readFileSync, statSync } from "node:fs";
import { StepsealError } from "../errors.ts";
import { type Keyring, type KeyState } from "../keyring/keyring.ts";
import { type Environment, keyringFromEnv, loadKeyring, splitList } from "../keyring/load.ts";
