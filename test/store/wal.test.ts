// The write-ahead log stays small whatever comes at once: what goes into one transaction is bounded.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GROUP_BYTES_MAX, takeGroup } from '../../src/store/commit-group.ts';
import { stream, type TestOrg, testDirectory, testOrg } from '../support/org.ts';

const MIB = 1_048_576;
const WAL_MAX = 64 * MIB;

/** The largest the log was after any commit. */
function watchWal(org: TestOrg, file: string): { largest(): number } {
  let largest = 0;
  org.journal.onCommit(() => {
    largest = Math.max(largest, statSync(`${file}-wal`).size);
  });
  return { largest: () => largest };
}

test('300 MiB of Messages and transcript lines that come in one turn leave it below 64 MiB', {
  timeout: 60_000,
}, async () => {
  const file = join(testDirectory(), 'org.db');
  const org = await testOrg(file);
  org.db.sqlite.pragma('synchronous = OFF');
  await stream(org, 's-in');
  const wal = watchWal(org, file);
  const body = 'x'.repeat(MIB);
  const at = '2026-01-01T00:00:00.000Z';
  org.journal.transcribe(Array.from({ length: 100 }, () => ({ worker: 'w-a', activationId: 'a-1', at, body })));
  await Promise.all(Array.from({ length: 200 }, () => org.publish('w-owner', 's-in', { body })));
  await org.journal.flush();
  expect(org.queries.events(['s-in'], { limit: 500 })).toHaveLength(200);
  expect(org.queries.events(['s-activations-w-a'], { limit: 500 })).toHaveLength(100);
  expect(wal.largest()).toBeGreaterThan(MIB);
  expect(wal.largest()).toBeLessThan(WAL_MAX);
});

test('lines come before the commands that follow them, and one that is too large goes alone', () => {
  const line = (size: number) => ({ worker: 'w-a', activationId: 'a-1', at: '', body: 'x'.repeat(size) });
  const pending = (size: number) => ({
    command: { type: 'Publish' as const, streamId: 's-a', content: [{ name: 'message', bytes: Buffer.alloc(size) }] },
  });
  const lines = [line(GROUP_BYTES_MAX), line(10)];
  const queue = [pending(10), pending(2 * GROUP_BYTES_MAX), pending(10)];
  const taken = () => {
    const { group, transcript } = takeGroup(queue, lines);
    return [transcript.length, group.length];
  };
  expect([taken(), taken(), taken(), taken()]).toEqual([
    [1, 0],
    [1, 1],
    [0, 1],
    [0, 1],
  ]);
  const stuck = [line(GROUP_BYTES_MAX), line(10)];
  // While the disk refuses lines, whoever asks for something is answered all the same.
  expect(takeGroup([pending(10)], stuck, true).group).toHaveLength(1);
  expect(queue).toEqual([]);
});
