// How the organisation is doing, counted: for `doctor` and for the metrics.
import type { Db } from './database.ts';
import { entryHash, GENESIS, type JournalRow } from './entries.ts';
import { LASTS } from './projections/holds.ts';

/** How many there are, by what they are called. */
export type Counts = Record<string, number>;

export type Health = {
  /** Triggers that are set aside, by state: held, parked, expired. */
  aside(): Counts;
  /** The same by Worker. */
  asideOf(): { workerId: string; state: string; count: number }[];
  /** Events that are held. */
  heldEvents(): number;
  /** Deliveries that are not done with, by state: queued, paused, stopped, held, dead. */
  deliveries(): Counts;
  /** Streams with dead letters; `newest` is the seq of an Event. */
  deadLetters(): { streamId: string; count: number; newest: number }[];
  /** Streams that stopped sending, since their target said that it is gone. */
  sendingStopped(): { streamId: string; reason: string }[];
  /** What keeps Workers from working now; `scope` is a Worker's id, or `org`. */
  stoppages(): { scope: string; hold: string; reason: string }[];
  /** RFC 3339, of the newest entry; undefined in an empty journal. */
  newestAt(): string | undefined;
  /** When the organisation was founded, RFC 3339. */
  foundedAt(): string | undefined;
  /** When a backup was last made here. */
  lastBackupAt(): Date | undefined;
};

const OPEN_DELIVERIES = ['queued', 'paused', 'stopped', 'held', 'dead'];
const ASIDE = ['held', 'parked', 'expired'];
const BACKUP = 'backup_at';

export function createHealth({ sqlite }: Db): Health {
  const aside = sqlite.prepare('SELECT count(*) FROM set_aside WHERE state = ?').pluck();
  const asideOf = sqlite.prepare(
    `SELECT worker AS workerId, state, count(*) AS count FROM set_aside WHERE state IN ('held', 'parked', 'expired')
     GROUP BY worker, state ORDER BY worker, state`,
  );
  const held = sqlite.prepare("SELECT count(*) FROM held_events WHERE state = 'held'").pluck();
  const deliveries = sqlite.prepare('SELECT count(*) FROM deliveries WHERE state = ?').pluck();
  const dead = sqlite.prepare(
    "SELECT stream AS streamId, count(*) AS count, max(seq) AS newest FROM deliveries WHERE state = 'dead' GROUP BY stream ORDER BY stream",
  );
  const sending = sqlite.prepare(
    `SELECT subject AS streamId, type, json_extract(data, '$.reason') AS reason FROM journal
     WHERE shapes_org = 1 AND type IN ('SendingStopped', 'SendingResumed', 'StreamUpdated', 'StreamDeleted') ORDER BY seq`,
  );
  const stoppages = sqlite.prepare(
    'SELECT scope, hold, reason FROM stoppages WHERE to_at = ? ORDER BY scope, from_seq',
  );
  const newest = sqlite.prepare('SELECT at FROM journal ORDER BY seq DESC LIMIT 1').pluck();
  const oldest = sqlite.prepare('SELECT at FROM journal ORDER BY seq LIMIT 1').pluck();
  const backup = sqlite.prepare('SELECT value FROM counters WHERE name = ?').pluck();
  const counted = (statement: typeof aside, states: string[]) =>
    Object.fromEntries(states.map((state) => [state, statement.get(state) as number]));
  return {
    aside: () => counted(aside, ASIDE),
    asideOf: () => asideOf.all() as ReturnType<Health['asideOf']>,
    heldEvents: () => held.get() as number,
    deliveries: () => counted(deliveries, OPEN_DELIVERIES),
    deadLetters: () => dead.all() as ReturnType<Health['deadLetters']>,
    sendingStopped() {
      const stopped = new Map<string, string>();
      for (const { streamId, type, reason } of sending.iterate() as Iterable<Record<string, string>>) {
        if (type === 'SendingStopped') stopped.set(streamId ?? '', reason ?? '');
        else if (type !== 'StreamUpdated') stopped.delete(streamId ?? '');
      }
      return [...stopped].map(([streamId, reason]) => ({ streamId, reason }));
    },
    stoppages: () => stoppages.all(LASTS) as ReturnType<Health['stoppages']>,
    newestAt: () => newest.get() as string | undefined,
    foundedAt: () => oldest.get() as string | undefined,
    lastBackupAt() {
      const at = backup.get(BACKUP) as number | undefined;
      return at === undefined ? undefined : new Date(at);
    },
  };
}

/** Keeps in mind that a backup was made. */
export function noteBackup({ sqlite }: Db, at: Date): void {
  sqlite
    .prepare('INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
    .run(BACKUP, at.getTime());
}

/** Where the newest entries do not follow each other as they were written; undefined when they do. Quick, whatever came before. */
export function tailProblem({ sqlite }: Db, entries: number): string | undefined {
  const rows = sqlite
    .prepare(
      `SELECT seq, v, type, stream, subject, actor, on_behalf_of AS onBehalfOf, via, caused_by AS causedBy, root, hops,
       activation_id AS activationId, at, data, prev_hash AS prevHash, hash FROM journal ORDER BY seq DESC LIMIT ?`,
    )
    .all(entries + 1) as Omit<JournalRow, 'shapesOrg'>[];
  for (const [index, row] of rows.entries()) {
    if (!entryHash(row).equals(row.hash)) return `entry ${row.seq} was changed: its hash does not fit what it says`;
    const before = rows[index + 1];
    const isFirst = before === undefined && rows.length <= entries;
    if (before ? !row.prevHash.equals(before.hash) : isFirst && !row.prevHash.equals(GENESIS))
      return `entry ${row.seq} does not follow the entry before it`;
  }
  return undefined;
}
