// Whatever belongs together is recorded together: each cascade is broken off at every single write it makes, and each time
// nothing of it is there, neither in the tables nor in the state that decides; then it goes through.
import { expect, test } from 'vitest';
import type { Command, Org } from '../../src/domain/org.ts';
import { dumpReadTables, rebuildReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { hire, staff, stream, subscribe, type TestOrg, testOrg } from '../support/org.ts';

type Cascade = { actor?: string; command: Command; hops?: number };
type Prepare = (org: TestOrg) => Promise<Cascade>;

const prepared = async () => {
  const org = await staff(
    await testOrg(undefined, { tools: new Set(['publish', 'dm']), limits: () => ({ maxHops: 1 }) }),
  );
  await stream(org, 's-in');
  await stream(org, 's-other');
  for (const name of ['w-ada', 'w-bob']) await subscribe(org, name, 's-in');
  await subscribe(org, 'w-ada', 's-other');
  await org.commit('w-owner', { type: 'GrantTool', grantId: 'g-ada', workerId: 'w-ada', tool: 'publish' });
  return org;
};
const command =
  (given: Command, actor?: string): Prepare =>
  async () => ({ command: given, ...(actor ? { actor } : {}) });

const cascades: [string, Prepare][] = [
  [
    'hiring with grants and Streams',
    command({
      type: 'HireWorker',
      workerId: 'w-new',
      positionId: 'p-ada',
      kind: 'ai',
      identity: 'New.',
      grants: [
        { grantId: 'g-1', tool: 'publish' },
        { grantId: 'g-2', tool: 'dm' },
      ],
      streams: ['s-in', 's-other'],
    }),
  ],
  [
    'firing one with grants, Streams, and work that waits, is held and is parked',
    async (org) => {
      const seqs = [await org.publish('w-owner', 's-in', 'a'), await org.publish('w-owner', 's-in', 'b')];
      await org.commit('system', { type: 'HoldTriggers', workerId: 'w-ada', triggers: seqs, reason: 'r' });
      await org.publish('w-owner', 's-other', 'c');
      return { command: { type: 'FireWorker', workerId: 'w-ada' } };
    },
  ],
  ['moving', command({ type: 'MoveWorker', workerId: 'w-ada', positions: ['p-bob', 'p-eve'] })],
  [
    'deleting a Stream with listeners and work set aside on it',
    async (org) => {
      const seq = await org.publish('w-owner', 's-in', 'a');
      await org.commit('system', { type: 'HoldTriggers', workerId: 'w-bob', triggers: [seq], reason: 'r' });
      return { command: { type: 'DeleteStream', streamId: 's-in' } };
    },
  ],
  [
    'deleting a Position',
    async (org) => {
      await org.commit('w-owner', { type: 'FireWorker', workerId: 'w-eve' });
      return { command: { type: 'DeletePosition', positionId: 'p-eve' } };
    },
  ],
  [
    'deleting a Role',
    async (org) => {
      await org.commit('w-owner', { type: 'CreateRole', roleId: 'r-spare', content: 'x' });
      return { command: { type: 'DeleteRole', roleId: 'r-spare' } };
    },
  ],
  [
    'inviting several',
    command({ type: 'InviteWorkers', streamId: 's-other', workerIds: ['w-bob', 'w-eve', 'w-owner'] }),
  ],
  ['listening with another filter', command({ type: 'Subscribe', streamId: 's-in', filter: { from: ['x'] } }, 'w-ada')],
  ['a first direct message', command({ type: 'SendDm', toWorkerId: 'w-bob', body: 'hi' }, 'w-ada')],
  [
    'an Event too far from its cause, with its notice',
    async () => ({
      actor: 'w-ada',
      hops: 3,
      command: {
        type: 'Publish',
        streamId: 's-in',
        content: [{ name: 'message', bytes: Buffer.from('{"body":"x","thread_id":"t"}') }],
      },
    }),
  ],
  [
    'redacting an Event with its runs',
    async (org) => {
      const seq = await org.publish('w-owner', 's-in', { body: 'secret', thread_id: 't' });
      return { command: { type: 'RedactEvent', event: seq, streamId: 's-in', alsoErase: [], reason: 'r' } };
    },
  ],
  [
    'releasing a held Event',
    async (org) => {
      const content = [{ name: 'message', bytes: Buffer.from('{"body":"x"}') }];
      await org.journal.commit('w-ada', { type: 'Publish', streamId: 's-in', content }, { cause: causeAt(3) });
      const [event] = [...org.journal.org.heldEvents.keys()];
      return { command: { type: 'ReleaseEvent', event: event ?? 0, streamId: 's-in' } };
    },
  ],
];

const causeAt = (hops: number) => ({ causedBy: 1, root: 1, hops, activationId: 'a-x' });

test.each(cascades)('%s is recorded whole or not at all', async (_what, prepare) => {
  const org = await prepared();
  const { actor = 'w-owner', command: wanted, hops } = await prepare(org);
  const before = everything(org);
  const ask = () => org.journal.commit(actor, wanted, hops === undefined ? {} : { cause: causeAt(hops) });
  let faults = 0;
  for (let nth = 1; ; nth++) {
    const writes = failing(org, nth);
    const answer = await ask().then(
      ({ entries }) => entries.length,
      (error: unknown) => error,
    );
    writes.mend();
    if (typeof answer === 'number') {
      expect(writes.count).toBeLessThan(nth);
      expect(answer).toBeGreaterThan(0);
      break;
    }
    expect(answer).toEqual(new Error(`the disk refused write ${nth}`));
    expect(everything(org)).toBe(before);
    faults += 1;
  }
  expect(faults).toBeGreaterThanOrEqual(2);
  expect(everything(org)).not.toBe(before);
  expect(verifyJournal(org.db).problems).toEqual([]);
  const tables = dumpReadTables(org.db);
  rebuildReadTables(org.db);
  expect(dumpReadTables(org.db)).toBe(tables);
});

test('a Worker can be hired under an id whose hire was broken off', async () => {
  const org = await prepared();
  const writes = failing(org, 3);
  await expect(hire(org, 'w-new')).rejects.toThrow('the disk refused write 3');
  writes.mend();
  await expect(hire(org, 'w-new')).resolves.not.toEqual([]);
});

/** Makes the nth write from here on fail, as a broken disk would. */
function failing({ db }: TestOrg, nth: number) {
  const statements = Object.getPrototypeOf(db.sqlite.prepare('SELECT 1')) as { run(...args: unknown[]): unknown };
  const { run } = statements;
  const writes = {
    count: 0,
    mend() {
      statements.run = run;
    },
  };
  statements.run = function (this: unknown, ...args: unknown[]) {
    writes.count += 1;
    if (writes.count === nth) throw new Error(`the disk refused write ${nth}`);
    return run.apply(this, args);
  };
  return writes;
}

/** The tables, the journal and the state that decides, as one text. */
function everything({ db, journal }: TestOrg): string {
  const rows = db.sqlite.prepare('SELECT seq, type, hash FROM journal ORDER BY seq').raw().all();
  return [dumpReadTables(db), JSON.stringify(rows), JSON.stringify(plain(journal.org))].join('\n');
}

function plain(value: Org | unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, each]) => [key, plain(each)]).sort();
  if (value instanceof Set) return [...value].sort();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
