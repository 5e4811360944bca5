import { expect, test } from 'vitest';
import { createJournalPages } from '../../src/store/journal-pages.ts';
import { createRunFigures } from '../../src/store/run-figures.ts';
import { staff, stream, testOrg, typesOf } from '../support/org.ts';

test('pages go back to the beginning without gap or repeat, whatever the filter', async () => {
  const org = await staff(await testOrg());
  await stream(org, 's-desk');
  for (let n = 0; n < 25; n++) await org.publish('w-ada', 's-desk', `${n}`);
  const { journalPage } = createJournalPages(org.db);
  const walk = (filter: object) => {
    const seqs: number[] = [];
    for (let before: number | undefined; ; ) {
      const page = journalPage({ ...filter, limit: 10, ...(before === undefined ? {} : { before }) });
      seqs.push(...page.entries.map(({ seq }) => seq));
      before = page.before;
      if (before === undefined) return seqs;
    }
  };
  const all = org.queries.entriesAfter(0, 1_000);
  const expected = (fits: (entry: (typeof all)[number]) => boolean) =>
    all
      .filter(fits)
      .map(({ seq }) => seq)
      .reverse();
  expect(walk({})).toEqual(expected(() => true));
  expect(walk({ types: ['EventPublished', 'WorkerHired'] })).toEqual(
    expected(({ event }) => event.type === 'EventPublished' || event.type === 'WorkerHired'),
  );
  expect(walk({ actor: 'w-ada' })).toEqual(expected(({ actor }) => actor === 'w-ada'));
  expect(walk({ about: 's-desk' })).toEqual(
    expected((entry) => entry.stream === 's-desk' || entry.subject === 's-desk'),
  );
  expect(walk({ about: 'w-ada', types: ['WorkerHired'] })).toHaveLength(1);
  const after = all.at(-6)?.seq ?? 0;
  expect(walk({ after })).toEqual(expected(({ seq }) => seq > after));
  expect(typesOf(journalPage({ types: ['Hired'], limit: 10 }).entries)).toEqual([]);
});

test('runs and what they cost are counted from a time on, for all and for one', async () => {
  let at = new Date('2026-03-01T10:00:00Z');
  const org = await staff(await testOrg(undefined, { now: () => at }));
  const run = async (
    workerId: string,
    activationId: string,
    ended?: { costUsd?: number; published: number; outcome?: 'done' | 'failed' },
  ) => {
    const { entries } = await org.commit('system', {
      type: 'StartActivation',
      activationId,
      workerId,
      triggers: [1],
      attempt: 1,
      agent: { kind: 'command' },
      ranWith: { roles: [], identity: 0, grants: 0 },
      content: [],
    });
    if (!ended) return;
    const { published, outcome = 'done', ...usage } = ended;
    const through = { throughSeq: entries[0]!.seq, settled: [], parked: [], open: null };
    await org.commit('system', {
      type: 'EndActivation',
      activationId,
      workerId,
      outcome,
      exit: outcome === 'done' ? 'ok' : 'exit code 1',
      ...through,
      published,
      changed: 0,
      usage,
    });
  };
  await run('w-ada', 'a-1', { costUsd: 5, published: 1 });
  at = new Date('2026-03-02T10:00:00Z');
  await run('w-ada', 'a-2', { costUsd: 0.25, published: 0 });
  await run('w-bob', 'a-3', { published: 1 });
  await run('w-bob', 'a-5', { published: 0, outcome: 'failed' });
  await run('w-bob', 'a-4');
  const { figuresSince } = createRunFigures(org.db);
  const today = '2026-03-02T00:00:00.000Z';
  expect(figuresSince(today)).toEqual({ runs: 4, costUsd: 0.25, unpriced: 3, silent: 1 });
  expect(figuresSince(today, 'w-ada')).toEqual({ runs: 1, costUsd: 0.25, unpriced: 0, silent: 1 });
  expect(figuresSince('2026-03-01T00:00:00.000Z', 'w-ada')).toMatchObject({ runs: 2, costUsd: 5.25 });
  expect(figuresSince('2027-01-01T00:00:00.000Z')).toEqual({ runs: 0, costUsd: 0, unpriced: 0, silent: 0 });
});
