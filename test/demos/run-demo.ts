// Runs a demo as a stranger does, and reads afterwards what it left in its data directory.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));

export type EndedDemo = { code: number | null; output: string; dataDir: string };

/** Its data directory is kept until the test ends. */
export function runDemo(args: string[], environment: NodeJS.ProcessEnv = process.env): Promise<EndedDemo> {
  const folder = mkdtempSync(join(tmpdir(), 'helix-demo-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const child = spawn(process.execPath, [launcher, 'demo', ...args, '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output, dataDir })));
}

export type StoredEvent = {
  stream: string;
  actor: string;
  message: { body?: string; subject?: string; to?: string[]; thread_id?: string; message_id?: string; from?: string };
};

/** What was published on Streams, oldest first, out of the journal. */
export function eventsIn(dataDir: string, stream?: string): StoredEvent[] {
  const db = new Database(join(dataDir, 'org.db'), { readonly: true });
  try {
    const rows = db.prepare(EVENTS).all() as { stream: string; actor: string; bytes: Buffer }[];
    return rows
      .map((row) => ({ stream: row.stream, actor: row.actor, message: JSON.parse(row.bytes.toString()) }))
      .filter((event) => stream === undefined || event.stream === stream);
  } finally {
    db.close();
  }
}

const EVENTS = `
  SELECT journal.stream, journal.actor, content.bytes
  FROM journal JOIN content ON content.seq = journal.seq AND content.name = 'message'
  WHERE journal.type = 'EventPublished' ORDER BY journal.seq`;

/** How many runs a Worker had, those that were cut off included. */
export function runsOf(dataDir: string, workerId: string): number {
  const db = new Database(join(dataDir, 'org.db'), { readonly: true });
  try {
    const row = db.prepare('SELECT count(*) AS runs FROM activations WHERE worker = ?').get(workerId);
    return (row as { runs: number }).runs;
  } finally {
    db.close();
  }
}

/** What its runs said and did, line by line, oldest first. */
export function transcriptOf(dataDir: string, workerId: string): string[] {
  const db = new Database(join(dataDir, 'org.db'), { readonly: true });
  try {
    const rows = db.prepare('SELECT body FROM transcripts WHERE worker = ? ORDER BY seq').all(workerId);
    return (rows as { body: string }[]).map(({ body }) => body);
  } finally {
    db.close();
  }
}

/** The commands it ran. */
export const commandsOf = (dataDir: string, workerId: string): string[] =>
  transcriptOf(dataDir, workerId).flatMap((line) => {
    const input = /^tool_use Bash: (.*)$/.exec(line)?.[1];
    return input === undefined ? [] : [(JSON.parse(input) as { command: string }).command];
  });
