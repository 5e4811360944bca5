// Runs `serve` as a process of its own, as demos and fault tests need it: one that can be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { readDaemonFile } from './daemon-file.ts';

export type DaemonCommand = {
  dataDir: string;
  /** How to start the command line of this program: program and arguments. */
  commandLine: string[];
  /** Further arguments of `serve`. */
  args: string[];
  /** Added to our own environment. */
  env: Record<string, string>;
};

export type DaemonProcess = {
  child: ChildProcess;
  /** Of the daemon itself; what starts it may stand in between. */
  pid: number;
  url: string;
  /** Settles when it has ended. */
  gone: Promise<void>;
};

const LOOK_EVERY_MS = 20;

/** Resolves when the daemon answers. @throws Error with what it printed when it ends first */
export async function startDaemonProcess({ dataDir, commandLine, args, env }: DaemonCommand): Promise<DaemonProcess> {
  const [program = process.execPath, ...first] = commandLine;
  const child = spawn(program, [...first, 'serve', '--data-dir', dataDir, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const found = await whereItListens(join(dataDir, 'daemon.json'), child);
  if (!found) throw new Error(`the daemon ended at once:\n${errors}`);
  return { child, gone, ...found };
}

/** The file that a killed daemon left behind names another process; it counts only when what it names answers. */
async function whereItListens(file: string, child: ChildProcess): Promise<{ pid: number; url: string } | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    // It may vanish in between: the new daemon removes what the killed one left.
    const found = readDaemonFile(file);
    if (found && (await answers(found.url))) return { pid: found.pid, url: found.url };
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return undefined;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}
