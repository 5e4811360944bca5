// Organisations of a given size, made through the journal once a machine and copied for whoever changes them.
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Core, openCore } from '../src/cli/core.ts';
import { type DataPaths, dataPaths } from '../src/cli/data-dir.ts';
import { ensureOwner } from '../src/cli/owner.ts';
import { packageRoot } from '../src/cli/package-root.ts';
import { OWNER } from '../src/domain/ids.ts';
import { encodeMessage } from '../src/domain/message.ts';
import type { Command } from '../src/domain/org.ts';

export type Size = {
  events: number;
  workers: number;
  /** Ended activations; each of one Event. */
  runs?: number;
};

/** A fifth of the Events is on the first of these. */
const STREAMS = 100;
const BODY = 'The quick brown fox asks for an offer of 250 pieces, to be there by Friday. '.repeat(4);
const AT_ONCE = 256;
const SEARCHED_MAX = 1_000_000;

export const streamId = (n: number) => `s-in-${n}`;
export const workerId = (n: number) => `w-clerk-${n}`;

/** The data directory of such an organisation; do not change it, take {@link copyOf}. */
export async function dataset(size: Size): Promise<string> {
  const { events, workers, runs = 0 } = size;
  const schema = statSync(join(packageRoot, 'src/store/migrations/0001_journal.sql')).size;
  const folder = join(tmpdir(), 'helix-bench-data', `${events}-${workers}-${runs}-${schema}`);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  process.stderr.write(`making an organisation of ${events} Events and ${workers} Workers …\n`);
  const core = openAt(dataPaths({ dataDir: draft }, {}));
  await fill(core, size);
  // Nobody searches in the largest, and to index them takes longer than to make them.
  if (events <= SEARCHED_MAX) while (core.queries.search.advance(1_000));
  core.close();
  renameSync(draft, folder);
  return folder;
}

/** Closed when the caller closes it. The data must not be in use. */
export function openAt(paths: DataPaths, durability: 'full' | 'normal' = 'normal'): Core {
  return openCore({ paths, durability, url: () => 'http://127.0.0.1', publicUrl: () => 'http://127.0.0.1' });
}

/** A copy of its own in `target`, made while nobody writes. */
export function copyOf(folder: string, target: string): DataPaths {
  const paths = dataPaths({ dataDir: target }, {});
  mkdirSync(target, { recursive: true });
  // Closed cleanly, so all of it is in this file.
  copyFileSync(dataPaths({ dataDir: folder }, {}).db, paths.db);
  return paths;
}

async function fill(core: Core, { events, workers, runs = 0 }: Size): Promise<void> {
  await ensureOwner(core);
  const owner = (command: Command) => core.journal.commit(OWNER, command);
  await owner({ type: 'CreateRole', roleId: 'r-clerk', content: '# Clerk\n\nAnswer what comes in.' });
  for (let n = 0; n < STREAMS; n++) {
    const transport = { kind: n % 2 === 0 ? 'webhook' : 'local', config: {} };
    const fields = { name: `In ${n}`, description: '', transport, private: false };
    await owner({ type: 'CreateStream', streamId: streamId(n), ...fields });
  }
  await publishAll(core, events);
  await hireAll(core, workers);
  await runAll(core, Math.min(runs, events));
}

async function publishAll({ journal }: Core, events: number): Promise<void> {
  for (let done = 0; done < events; done += AT_ONCE) {
    const group = Array.from({ length: Math.min(AT_ONCE, events - done) }, (_, n) => {
      const number = done + n;
      const stream = streamId(number % 5 === 0 ? 0 : number % STREAMS);
      const message = encodeMessage({ from: 'a@example.com', subject: `Offer ${number}`, body: BODY });
      const content = [{ name: 'message', bytes: message }];
      return journal.commit('transport:webhook', { type: 'Publish', streamId: stream, content }, { via: 'transport' });
    });
    await Promise.all(group);
  }
}

/** Ten to a position, which form a tree; each listens to one Stream. */
async function hireAll({ journal }: Core, workers: number): Promise<void> {
  for (let n = 0; n < workers; n++) {
    const seat = Math.floor(n / 10);
    const positionId = `p-desk-${seat}`;
    if (n % 10 === 0) {
      const parentId = seat === 0 ? 'p-root' : `p-desk-${Math.floor((seat - 1) / 5)}`;
      await journal.commit(OWNER, { type: 'CreatePosition', positionId, roleId: 'r-clerk', parentId });
    }
    const grants = [{ grantId: `g-clerk-${n}`, tool: 'publish' }];
    const hire = { type: 'HireWorker', kind: 'ai', identity: `Clerk ${n}.`, grants, streams: [streamId(n % STREAMS)] };
    const hired = journal.commit(OWNER, { ...hire, workerId: workerId(n), positionId } as Command);
    if (n % AT_ONCE === 0) await hired;
  }
  await journal.flush();
}

async function runAll({ journal, db }: Core, runs: number): Promise<void> {
  const seqs = db.sqlite
    .prepare("SELECT seq FROM journal WHERE type = 'EventPublished' ORDER BY seq DESC LIMIT ?")
    .pluck();
  for (const [n, seq] of (seqs.all(runs) as number[]).entries()) {
    const [activationId, worker] = [`a-run-${n}`, workerId(n % 100)];
    await journal.commit('system', {
      type: 'StartActivation',
      activationId,
      workerId: worker,
      triggers: [seq],
      attempt: 1,
      agent: { kind: 'command', version: '1' },
      ranWith: { roles: [1], identity: 2, grants: 3 },
      content: [{ name: 'prompt', bytes: Buffer.from('Act on this.') }],
    });
    await journal.commit('system', {
      type: 'EndActivation',
      activationId,
      workerId: worker,
      outcome: 'done',
      exit: 'ok',
      throughSeq: seq,
      settled: [seq],
      parked: [],
      open: null,
      published: 1,
      changed: 0,
      usage: { costUsd: 0.01 },
    });
  }
}
