import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import {
  MAINTENANCE_EVERY_MS,
  MAINTENANCE_FIRST_MS,
  type MaintenanceDeps,
  startMaintenance,
  WAL_LOOK_MS,
  WAL_MAX,
} from '../../src/cli/maintenance.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createTokens } from '../../src/store/tokens.ts';
import { temporaryDirectory, waitFor } from '../support/daemon.ts';

const NOW = new Date('2026-06-30T12:00:00.000Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000).toISOString();

/** Maintenance on an empty database, whose clock the test turns. */
function stage({ prunes = [] }: Pick<MaintenanceDeps, 'prunes'> = {}) {
  const file = join(temporaryDirectory(), 'org.db');
  const db = openDatabase(file, 'normal');
  const tokens = createTokens(db, () => NOW);
  const due: { delayMs: number; callback: () => void }[] = [];
  const notices: string[] = [];
  const values: Record<string, unknown> = { 'retention.transcript_days': 30 };
  const failures: unknown[] = [];
  const stop = startMaintenance({
    db,
    tokens,
    prunes,
    settings: { get: (key) => values[key] as never },
    journal: {
      async commit(_actor, command) {
        if (command.type === 'PostNotice') notices.push(command.subject);
        return { entries: [] };
      },
    },
    now: () => NOW,
    after(delayMs, callback) {
      const timer = { delayMs, callback };
      due.push(timer);
      return () => {
        if (due.includes(timer)) due.splice(due.indexOf(timer), 1);
      };
    },
    onFailure: (error) => failures.push(error),
  });
  const count = (table: string) => db.sqlite.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  /** Lets the next round come, and waits until it is over. */
  const round = async () => {
    take((delayMs) => delayMs !== WAL_LOOK_MS);
    await waitFor('the round is over', () => due.length === 2);
  };
  const take = (wanted: (delayMs: number) => boolean) => {
    const timer = due.find(({ delayMs }) => wanted(delayMs))!;
    due.splice(due.indexOf(timer), 1);
    timer.callback();
  };
  const lookAtWal = () => take((delayMs) => delayMs === WAL_LOOK_MS);
  return { notices, values, lookAtWal, file, db, tokens, due, failures, stop, count, round };
}

test('the first round comes after a minute, each later one ten minutes after the last', async () => {
  const { due, round, stop, failures } = stage();
  expect(due.map(({ delayMs }) => delayMs)).toEqual([MAINTENANCE_FIRST_MS, WAL_LOOK_MS]);
  await round();
  expect(due.map(({ delayMs }) => delayMs)).toEqual([WAL_LOOK_MS, MAINTENANCE_EVERY_MS]);
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

test('how long transcripts are kept is a setting; other tables bring their own time', async () => {
  const asked: number[] = [];
  const { db, count, round, values } = stage({
    prunes: [
      (now, most) => {
        expect(now).toEqual(NOW);
        asked.push(most);
        return asked.length < 3 ? most : 0;
      },
    ],
  });
  const line = db.sqlite.prepare("INSERT INTO transcripts VALUES (?, 'w-a', 'a-1', ?, 'x', NULL)");
  line.run(1, daysAgo(8));
  line.run(2, daysAgo(6));
  await round();
  expect([count('transcripts'), asked.length]).toEqual([2, 3]);
  values['retention.transcript_days'] = 7;
  await round();
  expect(count('transcripts')).toBe(1);
});

test('a write-ahead log that grew is cut; a reader in its way is not waited for, but named once', async () => {
  const { file, db, lookAtWal, failures, notices } = stage();
  db.sqlite.pragma('wal_autocheckpoint = 0');
  const insert = db.sqlite.prepare("INSERT INTO settings VALUES (?, ?, '')");
  const grow = (by: string) => {
    for (let index = 0; index < 70; index++) insert.run(`${by}${index}`, 'x'.repeat(1_048_576));
  };
  const walBytes = () => statSync(`${file}-wal`).size;
  grow('a');
  expect(walBytes()).toBeGreaterThan(WAL_MAX);
  lookAtWal();
  expect(walBytes()).toBe(0);
  const reader = new Database(file, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM settings').get();
  grow('b');
  for (let look = 0; look < 3; look++) lookAtWal();
  expect(walBytes()).toBeGreaterThan(WAL_MAX);
  expect(notices).toEqual(['Another program keeps the database from being tidied']);
  reader.exec('COMMIT');
  reader.close();
  lookAtWal();
  expect(walBytes()).toBe(0);
  expect(db.sqlite.pragma('busy_timeout', { simple: true })).toBe(5_000);
  expect([failures, notices.length]).toEqual([[], 1]);
});
