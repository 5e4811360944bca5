import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { beforeEach, describe, expect, test } from 'vitest';
import { evolve, STATE_TYPES } from '../../src/domain/evolve.ts';
import { type DomainEvent, emptyOrg } from '../../src/domain/org.ts';
import { rebuildReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { expectedOf, FIXTURE, fixturePath } from '../support/journal-fixture.ts';
import { openOrg, type TestOrg, testDirectory, testOrg } from '../support/org.ts';

/** Every type of fact there is; the compiler sees to it that none is missing. */
const EVERY_TYPE = Object.keys({
  OrgPaused: 1,
  OrgResumed: 1,
  RoleCreated: 1,
  RoleUpdated: 1,
  RoleDeleted: 1,
  PositionCreated: 1,
  PositionUpdated: 1,
  PositionDeleted: 1,
  WorkerHired: 1,
  IdentityUpdated: 1,
  WorkerMoved: 1,
  WorkerEmailChanged: 1,
  AgentUpdated: 1,
  WorkerFired: 1,
  WorkerPaused: 1,
  WorkerResumed: 1,
  ActivationRequested: 1,
  ToolGranted: 1,
  ToolRevoked: 1,
  StreamCreated: 1,
  StreamUpdated: 1,
  StreamDeleted: 1,
  WorkerSubscribed: 1,
  WorkerUnsubscribed: 1,
  EventPublished: 1,
  EventHeld: 1,
  EventReleased: 1,
  EventDiscarded: 1,
  EventRedacted: 1,
  ActivationStarted: 1,
  ActivationEnded: 1,
  TriggersHeld: 1,
  TriggersRequeued: 1,
  TriggersDropped: 1,
  TriggersExpired: 1,
  WorkHeld: 1,
  WorkResumed: 1,
  EventDelivered: 1,
  DeliveryDied: 1,
  DeliveryRequeued: 1,
  DeliveryDiscarded: 1,
  SendingStopped: 1,
  SendingResumed: 1,
} satisfies Record<DomainEvent['type'], 1>);

let org: TestOrg;

beforeEach(async () => {
  const file = join(testDirectory(), 'org.db');
  const database = new Database(file);
  database.exec(`BEGIN;\n${readFileSync(fixturePath(`${FIXTURE}.sql`), 'utf8')}COMMIT;`);
  database.close();
  org = await testOrg(file);
});

const all = () => org.queries.entriesAfter(0, 10_000);

describe('a database that version 1 has written', () => {
  test('holds every type of fact', () => {
    expect(new Set(all().map(({ event }) => event.type))).toEqual(new Set(EVERY_TYPE));
  });

  test('was made by migrations that nobody has changed since', () => {
    const applied = org.db.sqlite.prepare('SELECT hash FROM __drizzle_migrations ORDER BY created_at').pluck().all();
    const migrationsFolder = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));
    expect(readMigrationFiles({ migrationsFolder }).map(({ hash }) => hash)).toEqual(applied);
  });

  test('verifies, with its redaction', () => {
    expect(verifyJournal(org.db)).toMatchObject({ problems: [], redacted: 2, entries: all().length });
  });

  test('is read into the same tables, as it lies there and after a rebuild', () => {
    const expected = readFileSync(fixturePath(`${FIXTURE}.expected.txt`), 'utf8');
    expect(expectedOf(org.db)).toBe(expected);
    expect(rebuildReadTables(org.db)).toBe(all().length);
    expect(expectedOf(org.db)).toBe(expected);
  });

  test('is gone on with', async () => {
    const last = org.journal.lastSeq;
    const [entry] = await org.entries('w-owner', { type: 'CreateRole', roleId: 'r-new', content: 'x' });
    expect(entry!.seq).toBe(last + 1);
    expect(verifyJournal(org.db).problems).toEqual([]);
  });

  test('shows what was said in it, big numbers and all', () => {
    const [event] = org.queries.events(['s-in'], { thread: 't-1', limit: 10 });
    expect(event).toMatchObject({ body: 'outside', source: '' });
    expect(JSON.stringify(event!.message!.extra)).toBe('{"id":12345678901234567890,"u":"😀"}');
    expect(org.queries.events(['s-activations-w-ada'], { limit: 1 })[0]).toMatchObject({ body: "it's done" });
    expect(org.queries.search.find('outside', { limit: 5 })).toEqual([event!.seq]);
  });

  test('says what is to be done next', () => {
    expect(org.inbox.workersWithWork()).toEqual(['w-bob']);
    expect(org.inbox.next('w-bob', { triggers: 20, bytes: 1e6 })).toMatchObject({ attempt: 2, oneByOne: true });
    expect(org.queries.runningActivations().map(({ id }) => id)).toEqual(['a-3']);
  });
});

describe('the decision state', () => {
  test('is the same whether all facts are gone through or only those that shape it', () => {
    const [whole, shaping] = [emptyOrg(), emptyOrg()];
    for (const entry of all()) {
      evolve(whole, entry.event, entry);
      if ((STATE_TYPES as readonly string[]).includes(entry.event.type)) evolve(shaping, entry.event, entry);
    }
    expect(shaping).toEqual(whole);
    expect(org.journal.org).toEqual(whole);
  });

  test('is changed by each fact that shapes it, and by no other', () => {
    const state = emptyOrg();
    const changing = new Set<string>();
    for (const entry of all()) {
      const before = structuredClone(state);
      evolve(state, entry.event, entry);
      if (JSON.stringify(flat(before)) !== JSON.stringify(flat(state))) changing.add(entry.event.type);
    }
    expect([...changing].sort()).toEqual([...STATE_TYPES].sort());
  });

  test('leaves no room for surprises: a fact of a version to come is refused, by number and name', () => {
    const { db } = org;
    db.sqlite.exec('DROP TRIGGER journal_no_update; UPDATE journal SET v = 2 WHERE seq = 1');
    expect(() => openOrg(db.sqlite.name)).toThrow('Entry 1 (RoleCreated) has version 2; this helix-org knows 1.');
  });
});

/** Maps and Sets as arrays, so that states can be compared as text. */
const flat = (value: unknown): unknown => {
  if (value instanceof Map) return [...value].map(([key, held]) => [key, flat(held)]);
  if (value instanceof Set) return [...value];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, flat(held)]));
};
