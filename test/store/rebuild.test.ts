import { beforeEach, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/domain/ids.ts';
import { dumpReadTables, rebuildReadTables } from '../../src/store/rebuild.ts';
import { createTokens } from '../../src/store/tokens.ts';
import { staff, stream, subscribe, type TestOrg, testOrg } from '../support/org.ts';

let org: TestOrg;

beforeEach(async () => {
  org = await staff(await testOrg());
  await stream(org, 's-in');
  await subscribe(org, 'w-ada', 's-in');
  await org.publish(OWNER, 's-in', { body: 'x', thread_id: 't' });
});

const dump = () => dumpReadTables(org.db);

describe('a rebuild', () => {
  test('makes the read tables again as they were, however they were damaged', () => {
    const before = dump();
    org.db.sqlite.exec(
      "DELETE FROM workers; UPDATE streams SET last_seq = 0; INSERT INTO roles VALUES ('r-x', 'x', 1, 'x', 'x')",
    );
    expect(dump()).not.toBe(before);
    expect(rebuildReadTables(org.db)).toBe(org.queries.entriesAfter(0, 10_000).length);
    expect(dump()).toBe(before);
  });

  test('leaves alone what is not derived', async () => {
    const { token } = createTokens(org.db).create({ workerId: 'w-ada', label: 'x' });
    org.journal.transcribe([{ worker: 'w-ada', activationId: 'a-1', at: '2026-01-01T00:00:00.000Z', body: 'line' }]);
    await org.journal.flush();
    rebuildReadTables(org.db);
    expect(createTokens(org.db).verify(token, 'token')?.workerId).toBe('w-ada');
    expect(org.queries.events(['s-activations-w-ada'], { limit: 5 }).map(({ body }) => body)).toEqual(['line']);
  });

  test('that fails leaves the tables as they were', () => {
    const before = dump();
    org.db.sqlite.exec(
      `CREATE TEMP TRIGGER poison BEFORE INSERT ON main.streams WHEN NEW.id = 's-in' BEGIN SELECT RAISE(ABORT, 'poisoned'); END`,
    );
    expect(() => rebuildReadTables(org.db)).toThrow('poisoned');
    expect(dump()).toBe(before);
    expect(org.db.sqlite.inTransaction).toBe(false);
  });

  test('goes through more entries than fit in a page', async () => {
    await Promise.all(Array.from({ length: 2_100 }, () => org.publish(OWNER, 's-in', 'x')));
    const before = dump();
    expect(rebuildReadTables(org.db)).toBeGreaterThan(2_100);
    expect(dump()).toBe(before);
  });

  test('of an org that is not founded has nothing to do', async () => {
    const empty = await testOrg();
    empty.db.sqlite.exec(
      'DROP TRIGGER journal_no_delete; DELETE FROM journal; DROP TRIGGER content_no_delete; DELETE FROM content',
    );
    expect(rebuildReadTables(empty.db)).toBe(0);
    expect(dumpReadTables(empty.db)).not.toContain('[');
  });
});
