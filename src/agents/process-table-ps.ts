// Processes as `ps` shows them on macOS. It hides the environment of the system's own programs (/bin/sh, /usr/bin/*); those
// are found by their process group and their parents.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ACTIVATION_VARIABLE } from './agent-environment.ts';
import type { OsProcess } from './process-table.ts';

const run = promisify(execFile);
// A fixed language and time zone: a start must read the same whoever asks, also after the clocks have changed.
const OPTIONS = { env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' }, maxBuffer: 2 ** 27 };
const COLUMNS = 'pid=,ppid=,pgid=,state=,lstart=,command=';
// The columns of a start: "Thu Nov 21 04:59:00 2026".
const LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)(?:\s+(.*))?$/;
const MARK = new RegExp(`\\s${ACTIVATION_VARIABLE}=(\\S+)`);

export async function readPsProcesses(): Promise<OsProcess[]> {
  // -E shows the environment after the command.
  const { stdout } = await run('ps', ['-axEww', '-o', COLUMNS], OPTIONS);
  return stdout.split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

export async function readPsProcess(pid: number): Promise<OsProcess | undefined> {
  // It exits with 1 when there is no such process.
  const found = await run('ps', ['-ww', '-o', COLUMNS, '-p', String(pid)], OPTIONS).catch(() => undefined);
  return parsePsLine(found?.stdout.split('\n')[0] ?? '');
}

export function parsePsLine(line: string): OsProcess | undefined {
  const [, pid, parent, group, state = '', start = '', command = ''] = LINE.exec(line) ?? [];
  if (pid === undefined) return undefined;
  const activationId = MARK.exec(command)?.[1];
  return {
    pid: Number(pid),
    startedAt: start.replace(/\s+/g, ' '),
    parent: Number(parent),
    group: Number(group),
    session: 0,
    name: command.split(' ', 1)[0] ?? '',
    zombie: state.startsWith('Z'),
    ...(activationId === undefined ? {} : { activationId }),
  };
}
