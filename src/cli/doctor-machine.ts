// What `doctor` looks at besides the data: the program, the machine, and the daemon that has the data or could.
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Address, isWide } from './address.ts';
import { type DaemonAddress, readDaemonFile } from './daemon-file.ts';
import type { DataPaths } from './data-dir.ts';
import { broken, type Finding, fine, warning } from './finding.ts';
import { takeLock } from './lock.ts';
import { packageRoot } from './package-root.ts';
import { isAlive } from './running-daemon.ts';
import { version } from './version.ts';

/** Who has the data: nobody, somebody who answers, or somebody who does not. */
export type Holder =
  | { kind: 'nobody'; leftBy?: DaemonAddress }
  | { kind: 'daemon'; address: DaemonAddress; ready: string }
  | { kind: 'silent'; pid?: number; why: string };

const PATIENCE_MS = 3_000;
const MIB = 1_048_576;
const DISK_LEAST = 200 * MIB;
const DISK_LOW = 1_024 * MIB;

export function checkNode(): Finding[] {
  const { engines } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const [wanted, have] = [engines.node.replace('>=', ''), process.versions.node];
  const [major = 0, minor = 0] = wanted.split('.').map(Number);
  const [ours = 0, minorOurs = 0] = have.split('.').map(Number);
  const isEnough = ours > major || (ours === major && minorOurs >= minor);
  return isEnough
    ? fine('node', `Node ${have}, helix-org ${version}.`)
    : broken(
        'node',
        `This is Node ${have}; helix-org needs ${wanted} or newer.`,
        'Install a newer Node: https://nodejs.org',
      );
}

/** Never waits for the lock, and gives it back at once. */
export async function findHolder({ daemonFile, lockFiles }: DataPaths): Promise<Holder> {
  const address = readDaemonFile(daemonFile);
  const isFree = !lockFiles.every((file) => existsSync(file)) || mayTake(lockFiles);
  if (isFree) return { kind: 'nobody', ...(address ? { leftBy: address } : {}) };
  if (!address || !isAlive(address.pid)) return { kind: 'silent', why: 'another helix-org command works on the data' };
  const answer = await answerOf(`${address.url}/readyz`);
  if (answer === undefined)
    return { kind: 'silent', pid: address.pid, why: `the daemon (pid ${address.pid}, ${address.url}) does not answer` };
  return { kind: 'daemon', address, ready: answer.text };
}

function mayTake(lockFiles: readonly string[]): boolean {
  const lock = takeLock(lockFiles);
  lock?.release();
  return lock !== undefined;
}

export function checkDaemon(holder: Holder, dataDir: string): Finding[] {
  const check = 'daemon';
  switch (holder.kind) {
    case 'nobody':
      return holder.leftBy
        ? warning(
            check,
            `The daemon (pid ${holder.leftBy.pid}) ended without stopping, and none runs now.`,
            'Start it again: `helix-org serve`. What it was cut off from comes again.',
          )
        : fine(check, `No daemon runs on ${dataDir}.`);
    case 'silent':
      return holder.pid === undefined
        ? warning(
            check,
            `No daemon answers: ${holder.why}.`,
            'Wait until that command is done, then run `helix-org doctor` again.',
          )
        : broken(
            check,
            `The lock is held, but ${holder.why}.`,
            `Look at its log; then end it with \`kill ${holder.pid}\` (after 10 s \`kill -9 ${holder.pid}\`) and start \`helix-org serve\`.`,
          );
    case 'daemon': {
      const { pid, url, version: runs } = holder.address;
      if (holder.ready === 'starting')
        return warning(
          check,
          `The daemon (pid ${pid}, ${url}) is still starting.`,
          'Wait, then run `helix-org doctor` again; if it stays so, its log says why.',
        );
      if (holder.ready !== 'ready')
        return broken(
          check,
          `The daemon (pid ${pid}, ${url}) is not ready: ${holder.ready}.`,
          'Mend what it names, or wait if it only starts; its log says more.',
        );
      return runs === version
        ? fine(check, `A daemon answers on ${url}, pid ${pid}.`)
        : warning(
            check,
            `The daemon (pid ${pid}) is helix-org ${runs}, this command ${version}.`,
            `Restart it with this version: \`kill ${pid}\`, then \`helix-org serve\`.`,
          );
    }
  }
}

/** Whether a daemon could listen where it would; asked by doing it. */
export async function checkPort(holder: Holder, address: Address): Promise<Finding[]> {
  const shown = `${address.host}:${address.port}`;
  if (holder.kind !== 'nobody' || address.port === 0) return [];
  const problem = await listenProblem(address);
  if (problem === undefined)
    return fine('port', `${shown} is free${isWide(address) ? ', for the whole network' : ''}.`);
  const fix =
    problem.code === 'EADDRINUSE'
      ? `End what listens there (\`ss -ltnp 'sport = :${address.port}'\` names it), or`
      : 'Choose an address of this machine:';
  return broken(
    'port',
    `A daemon could not listen on ${shown}: ${problem.message}.`,
    `${fix} \`helix-org serve --addr 127.0.0.1:8090\`.`,
  );
}

function listenProblem({ host, port }: Address): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

export function checkDisk({ dataDir }: DataPaths): Finding[] {
  const { bavail, bsize, ffree, files } = statfsSync(dataDir);
  const free = bavail * bsize;
  const says = `${Math.round(free / MIB)} MiB are free where ${dataDir} lies`;
  const fix = `Make room on that disk: \`df -h ${dataDir}\`, \`du -xh ${dataDir} | sort -h | tail\`.`;
  if (files > 0 && ffree === 0) return broken('disk', `No more files can be made where ${dataDir} lies.`, fix);
  if (free < DISK_LEAST) return broken('disk', `Only ${says}; a full disk stops everything.`, fix);
  return free < DISK_LOW ? warning('disk', `Only ${says}.`, fix) : fine('disk', `${says}.`);
}

/** What a URL answers, its first words; undefined when nothing does. */
export async function answerOf(url: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'manual' });
    return { status: response.status, text: (await response.text()).trim().slice(0, 200) };
  } catch {
    return undefined;
  }
}
