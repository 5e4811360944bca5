// `helix-org demo`: runs a demo from demos/ on a daemon of its own, in a temporary data directory.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearest } from '../domain/errors.ts';
import { packageRoot } from './package-root.ts';
import { type OpenStage, openStage, type Stage } from './stage.ts';

export type DemoOptions = {
  name?: string;
  /** Keep the daemon running afterwards, and say where its pages are. */
  stay?: boolean;
  /** Instead of a temporary one. */
  dataDir?: string;
};

type Demo = { settings: Record<string, unknown>; run(stage: Stage): Promise<void> };

/** @returns 0 only when everything the demo promises was observed */
export async function runDemo({ name = 'getting-started', stay = false, dataDir }: DemoOptions): Promise<number> {
  const folder = join(packageRoot, 'demos', name);
  if (!existsSync(join(folder, 'script.mjs'))) return unknownDemo(name);
  const demo = (await import(pathToFileURL(join(folder, 'script.mjs')).href)) as Demo;
  const directory = dataDir ?? mkdtempSync(join(tmpdir(), 'helix-org-demo-'));
  const began = performance.now();
  let stage: OpenStage | undefined;
  let keep = false;
  try {
    stage = await openStage({
      dataDir: directory,
      launcher: [process.execPath, join(packageRoot, 'bin', 'helix-org.mjs')],
      agentCommand: [process.execPath, join(folder, 'agent.mjs')],
      settings: demo.settings,
      colours: process.stdout.isTTY === true && !process.env.NO_COLOR,
    });
    await demo.run(stage);
    conclude(stage, (performance.now() - began) / 1_000);
    if (stay) await stayUntilInterrupted(stage);
    return 0;
  } catch (error) {
    process.stderr.write(
      `\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\nIts data is in ${directory}\n`,
    );
    keep = true;
    return 1;
  } finally {
    await stage?.close();
    if (dataDir === undefined && !keep) rmSync(directory, { recursive: true, force: true });
  }
}

function conclude({ narrator, answers }: OpenStage, seconds: number): void {
  narrator.act('What you saw');
  for (const answer of answers()) narrator.say(answer);
  narrator.say(
    `Everything above really ran, in ${seconds.toFixed(1)} s: a daemon, its journal, and a process for each activation.`,
  );
  narrator.say('Next: read demos/getting-started/roles/echo.md, then `npm start`, then `npx helix-org help`.');
}

async function stayUntilInterrupted(stage: OpenStage): Promise<void> {
  const link = await stage.loginLink();
  stage.narrator.act('The daemon stays');
  stage.narrator.say(`Open ${link}`);
  stage.narrator.say('Ctrl-C ends it and removes its data.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function unknownDemo(name: string): number {
  const known = readdirSync(join(packageRoot, 'demos'), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const near = nearest(name, known);
  process.stderr.write(
    `There is no demo "${name}"${near ? `; did you mean ${near}?` : ''} Demos: ${known.join(', ')}.\n`,
  );
  return 1;
}
