// `helix-org demo`: runs a demo from demos/ on a daemon of its own, in a temporary data directory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentArguments, type DemoAgent, missingFor, unknownDemo } from './demo-agent.ts';
import { demoFolder, demoNames, FIRST_DEMO, loadDemo } from './demo-folder.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { packageRoot } from './package-root.ts';
import { type OpenStage, openStage } from './stage.ts';
import { openScene } from './stand-in.ts';

export type DemoOptions = {
  name?: string;
  /** Keep the daemon running afterwards, and say where its pages are. */
  stay?: boolean;
  /** With the real agent and the real world outside. */
  live?: boolean;
  /** What plays the Workers while the world outside is not the real one. */
  agent?: DemoAgent;
  /** A program that plays them instead. */
  agentCommand?: string[];
  /** Seconds to wait for what shall happen. */
  patience?: number;
  /** Instead of a temporary one. */
  dataDir?: string;
  publicUrl?: string;
  addr?: string;
};

export const COMMAND_LINE = [process.execPath, join(packageRoot, 'bin', 'helix-org.mjs')];

/** A scripted agent answers in a moment; a model, and people outside, take their time. */
const PATIENCE_S = { scripted: 30, claude: 600 };

/** @returns 0 only when everything the demo promises was observed */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { name = FIRST_DEMO, stay = false, live = false } = options;
  if (!demoNames().includes(name)) return refuse(unknownDemo(name, demoNames()));
  const agent = live ? 'claude' : (options.agent ?? 'scripted');
  const demo = await loadDemo(name);
  const needed = { agent: options.agentCommand ? 'scripted' : agent, publicUrl: options.publicUrl } as const;
  const missing = await missingFor(live ? (demo.needs ?? []) : [], needed);
  if (missing.length > 0)
    return refuse(`The demo ${name} cannot run like this yet:\n${missing.map((line) => `- ${line}\n`).join('')}`);
  const narrator = createNarrator(process.stdout.isTTY === true && !process.env.NO_COLOR);
  const directory = mkdtempSync(join(tmpdir(), 'helix-org-demo-'));
  const dataDir = options.dataDir ?? join(directory, 'data');
  const scene = openScene({ directory, isLive: live, say: (line) => narrator.say(line) });
  const began = performance.now();
  const interrupted = interruption();
  let stage: OpenStage | undefined;
  let keep = false;
  try {
    const outside = await demo.outside?.(scene);
    stage = await openStage({
      dataDir,
      folder: demoFolder(name),
      commandLine: COMMAND_LINE,
      agent: agentArguments(agent, options.agentCommand, demoFolder(name)),
      serve: serveArguments(options),
      settings: { ...demo.settings, ...outside?.settings },
      path: scene.path(),
      narrator,
      isLive: live,
      isScripted: agent === 'scripted',
      patienceMs: (options.patience ?? PATIENCE_S[agent]) * 1_000,
    });
    await Promise.race([demo.run(stage, outside), interrupted.then(() => Promise.reject(new Error('interrupted')))]);
    conclude(stage, narrator, { name, seconds: (performance.now() - began) / 1_000 });
    if (stay) {
      await sayThatItStays(stage, narrator, options.dataDir === undefined);
      await interrupted;
    }
    return 0;
  } catch (error) {
    process.stderr.write(
      `\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\nIts data is in ${dataDir}\n`,
    );
    keep = true;
    return 1;
  } finally {
    await stage?.close();
    scene.close();
    if (!keep || options.dataDir !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function refuse(text: string): number {
  process.stderr.write(text);
  return 1;
}

function serveArguments({ publicUrl, addr }: DemoOptions): string[] {
  return [...(addr ? ['--addr', addr] : []), ...(publicUrl ? ['--public-url', publicUrl] : [])];
}

/** The demos there are, a line each. */
export async function listDemos(): Promise<number> {
  for (const name of demoNames()) process.stdout.write(`${name.padEnd(18)} ${(await loadDemo(name)).title}\n`);
  return 0;
}

type Ended = { name: string; seconds: number };

function conclude({ answers }: OpenStage, narrator: Narrator, { name, seconds }: Ended): void {
  narrator.act('What you saw');
  for (const answer of answers()) narrator.answer(answer);
  narrator.say(
    `Everything above really ran, in ${seconds.toFixed(1)} s: a daemon, its journal, and a process for each activation.`,
  );
  narrator.say(
    name === FIRST_DEMO
      ? 'Next: read demos/getting-started/roles/echo.md, then `npm start`, then `npx helix-org help`.'
      : `Next: read demos/${name}/README.md and the Roles beside it.`,
  );
}

async function sayThatItStays(stage: OpenStage, narrator: Narrator, isTemporary: boolean): Promise<void> {
  const link = await stage.loginLink();
  narrator.act('The daemon stays');
  narrator.say(`Open ${link}`);
  for (const { title, url } of stage.pages) narrator.say(`${title}: ${url}`);
  narrator.say(`Ctrl-C ends it${isTemporary ? ' and removes its data' : ''}.`);
}

/** So that no daemon is left behind by a demo that is ended. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
