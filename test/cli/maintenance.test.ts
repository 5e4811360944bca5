import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { MAINTENANCE_EVERY_MS, MAINTENANCE_FIRST_MS, startMaintenance } from '../../src/cli/maintenance.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createTokens } from '../../src/store/tokens.ts';
import { temporaryDirectory, waitFor } from '../support/daemon.ts';

const NOW = new Date('2026-06-30T12:00:00.000Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000).toISOString();

/** Maintenance on an empty database, whose clock the test turns. */
function stage() {
  const file = join(temporaryDirectory(), 'org.db');
  const db = openDatabase(file, 'normal');
  const tokens = createTokens(db, () => NOW);
  const due: { delayMs: number; callback: () => void }[] = [];
  const failures: unknown[] = [];
  const stop = startMaintenance({
    db,
    tokens,
    now: () => NOW,
    after(delayMs, callback) {
      const timer = { delayMs, callback };
      due.push(timer);
      return () => due.splice(due.indexOf(timer), 1);
    },
    onFailure: (error) => failures.push(error),
  });
  const count = (table: string) => db.sqlite.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  /** Lets the next round come, and waits until it is over. */
  const round = async () => {
    due.pop()?.callback();
    await waitFor('the round is over', () => due.length === 1);
  };
  return { file, db, tokens, due, failures, stop, count, round };
}

test('the first round comes after a minute, each later one ten minutes after the last', async () => {
  const { due, round, stop, failures } = stage();
  expect(due.map(({ delayMs }) => delayMs)).toEqual([MAINTENANCE_FIRST_MS]);
  await round();
  expect(due.map(({ delayMs }) => delayMs)).toEqual([MAINTENANCE_EVERY_MS]);
  expect(failures).toEqual([]);
  stop();
  expect(due).toEqual([]);
});

test('what has had its time is forgotten, in slices; the rest stays', async () => {
  const { db, tokens, count, round } = stage();
  const delivery = db.sqlite.prepare("INSERT INTO idempotency VALUES ('s-a', 'p', ?, NULL, 1, ?)");
  const line = db.sqlite.prepare("INSERT INTO transcripts VALUES (?, 'w-a', 'a-1', ?, 'x', NULL)");
  db.sqlite.transaction(() => {
    for (let index = 1; index <= 2_500; index++) {
      delivery.run(`old ${index}`, daysAgo(8));
      line.run(index, daysAgo(31));
    }
    delivery.run('new', daysAgo(6));
    line.run(2_501, daysAgo(29));
  })();
  const { id } = tokens.create({ workerId: 'w-a', label: 'a' });
  tokens.create({ workerId: 'w-a', label: 'b' });
  tokens.revoke(id);
  db.sqlite.prepare('UPDATE tokens SET revoked_at = ? WHERE id = ?').run(daysAgo(31), id);
  await round();
  expect([count('idempotency'), count('transcripts'), count('tokens')]).toEqual([1, 1, 1]);
});

test('a write-ahead log that grew is cut, and a reader in its way is not waited for', async () => {
  const { file, db, round, failures } = stage();
  db.sqlite.pragma('wal_autocheckpoint = 0');
  const insert = db.sqlite.prepare("INSERT INTO settings VALUES (?, ?, '')");
  for (let index = 0; index < 50; index++) insert.run(`k${index}`, 'x'.repeat(1_048_576));
  const walBytes = () => statSync(`${file}-wal`).size;
  expect(walBytes()).toBeGreaterThan(48 * 1_048_576);
  const reader = new Database(file, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM settings').get();
  const began = performance.now();
  await round();
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(walBytes()).toBeGreaterThan(0);
  reader.exec('COMMIT');
  reader.close();
  await round();
  expect(walBytes()).toBe(0);
  expect(db.sqlite.pragma('busy_timeout', { simple: true })).toBe(5_000);
  expect(failures).toEqual([]);
});
