// The demos there are: each folder of demos/ with a script.mjs in it is one.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Need } from './demo-agent.ts';
import { packageRoot } from './package-root.ts';
import type { Stage } from './stage.ts';
import type { Scene } from './stand-in.ts';

/** What `script.mjs` exports. */
export type Demo = {
  /** One line for the list of demos. */
  title: string;
  /** Settings that the daemon runs with. */
  settings?: Record<string, unknown>;
  /** What `--live` needs beside Claude Code. Without it, Claude Code is all. */
  needs?: Need[];
  /** Puts stand-ins in the place of the world. @returns settings that name them, and whatever `run` wants to know of them */
  outside?(scene: Scene): Promise<{ settings?: Record<string, unknown> }>;
  /** Resolves when all that the demo promises was observed. @throws Error with what was missing */
  run(stage: Stage, outside: unknown): Promise<void>;
};

const root = join(packageRoot, 'demos');

/** In the order of their names, but the one to begin with first. */
export function demoNames(): string[] {
  const names = readdirSync(root)
    .filter((name) => existsSync(join(root, name, 'script.mjs')))
    .sort();
  return [...names.filter((name) => name === FIRST_DEMO), ...names.filter((name) => name !== FIRST_DEMO)];
}

export const FIRST_DEMO = 'getting-started';

export const demoFolder = (name: string): string => join(root, name);

export const loadDemo = (name: string): Promise<Demo> =>
  import(pathToFileURL(join(demoFolder(name), 'script.mjs')).href);
