// The write-ahead log is written back by a thread, so that commits need not: it stays short, and what was erased leaves it.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import type { CheckpointThread } from '../../src/store/checkpoint-thread.ts';
import { type CheckpointerDeps, startCheckpointer } from '../../src/store/checkpointer.ts';
import { stream, testDirectory, testOrg } from '../support/org.ts';

const KIB = 1_024;
const MIB = 1_048_576;

async function watched(given: Partial<CheckpointerDeps> = {}) {
  const file = join(testDirectory(), 'org.db');
  const org = await testOrg(file);
  org.db.sqlite.pragma('synchronous = OFF');
  await stream(org, 's-in');
  const failures: unknown[] = [];
  const stop = startCheckpointer({
    sqlite: org.db.sqlite,
    journal: org.journal,
    onFailure: (error) => failures.push(error),
    ...given,
  });
  onTestFinished(stop);
  const publish = () => org.publish('w-owner', 's-in', { body: 'x'.repeat(64 * KIB) });
  return { org, stop, failures, publish, walBytes: () => statSync(`${file}-wal`).size };
}

/** A thread that answers when it is told to. */
function fakeThread() {
  const asked: { resolve(): void; reject(error: Error): void }[] = [];
  const thread: CheckpointThread = {
    checkpoint: () => new Promise<void>((resolve, reject) => asked.push({ resolve, reject })),
    close: async () => {},
  };
  return { asked, startThread: () => thread };
}

test('stays below 32 MiB while 120 MiB are written without a pause, and all of it is there', async () => {
  const { org, stop, failures, publish, walBytes } = await watched();
  let largest = 0;
  for (let n = 0; n < 480; n++) {
    await Promise.all([publish(), publish(), publish(), publish()]);
    largest = Math.max(largest, walBytes());
  }
  expect(largest).toBeLessThan(32 * MIB);
  await stop();
  expect(failures).toEqual([]);
  expect(org.queries.events(['s-in'], { limit: 2_000 })).toHaveLength(1_920);
  expect(org.db.sqlite.pragma('integrity_check', { simple: true })).toBe('ok');
});

test('is written back by the commits themselves when the thread fails, which is said', async () => {
  const { asked, startThread } = fakeThread();
  const { failures, publish, walBytes } = await watched({ startThread });
  for (let n = 0; n < 100; n++) await publish();
  expect(asked).toHaveLength(1);
  asked[0]?.reject(new Error('the disk is full'));
  for (let n = 0; n < 900; n++) await publish();
  expect(failures).toEqual([new Error('the disk is full')]);
  expect(walBytes()).toBeLessThan(32 * MIB);
});

test('is emptied of what was erased while the thread was at it, when it is done', async () => {
  const { asked, startThread } = fakeThread();
  const { org, publish, walBytes } = await watched({ startThread });
  const event = await publish();
  for (let n = 0; n < 100; n++) await publish();
  expect(asked).toHaveLength(1);
  // In the way of the journal as the thread's connection would be.
  const other = new Database(org.db.sqlite.name);
  other.exec('BEGIN; SELECT * FROM journal');
  await org.commit('w-owner', { type: 'RedactEvent', event, streamId: 's-in', alsoErase: [], reason: 'asked for' });
  expect(walBytes()).toBeGreaterThan(0);
  other.close();
  asked[0]?.resolve();
  await expect.poll(walBytes).toBe(0);
});
