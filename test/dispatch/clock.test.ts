import { describe, expect, test } from 'vitest';
import { dispatchStage, until } from '../support/dispatch.ts';

// The fake clock begins at 2026-11-21T12:00:00Z, a Saturday.
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

async function open(options: Parameters<typeof dispatchStage>[0] = {}) {
  const stage = await dispatchStage({ play: () => {}, ...options });
  const { daemon, clock } = stage;
  const events = (id = 's-tick') => daemon.queries.events([id], { limit: 1_000 }).reverse();
  return {
    ...stage,
    events,
    /** When each was due, in UTC; with how many were missed before it. */
    dues: (id?: string) =>
      events(id).map(({ message }) => {
        const { due, missed } = message!.extra as { due: string; missed?: number };
        return missed ? `${due.slice(5, 16)} +${missed}` : due.slice(5, 16);
      }),
    schedule: (schedule: string, config: object = {}, id = 's-tick') =>
      stage.stream(id, { transport: { kind: 'cron', config: { schedule, ...config } } }),
    /** Moves time on in steps, and lets everything happen that is due. */
    async pass(ms: number, step = ms) {
      for (let passed = 0; passed < ms; passed += step) {
        clock.advance(step);
        await settle(daemon);
      }
    },
  };
}

/** What was begun is written down. */
async function settle(daemon: { journal: { flush(): Promise<void> }; dispatcher: { idle(): Promise<void> } }) {
  for (let n = 0; n < 3; n++) {
    await daemon.journal.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await daemon.dispatcher.idle();
}

test('an Event comes at each time and wakes who listens', async () => {
  const stage = await open();
  await stage.schedule('0 * * * *', { message: 'Look at the queue.' });
  await stage.hire('w-ann', { streams: ['s-tick'] });
  await stage.idle();
  const hired = stage.runs.length;
  await stage.pass(59 * MINUTE, MINUTE);
  expect(stage.dues()).toEqual([]);
  await stage.pass(2 * HOUR + MINUTE, MINUTE);
  expect(stage.dues()).toEqual(['11-21T13:00', '11-21T14:00', '11-21T15:00']);
  expect(stage.runs.length - hired).toBe(3);
  expect(stage.runs.at(-1)?.prompt).toContain('Look at the queue.');
  const [first] = stage.events();
  expect(first).toMatchObject({ source: '', body: 'Look at the queue.', createdAt: '2026-11-21T13:00:00.000Z' });
  expect(stage.daemon.queries.entry(first?.seq ?? 0)).toMatchObject({
    actor: 'transport:cron',
    via: 'transport',
    hops: 0,
  });
});

test('what falls into a sleep of the machine is made up for once, by its last time', async () => {
  const stage = await open();
  await stage.schedule('0 * * * *');
  await stage.schedule('0 9 * * *', {}, 's-daily');
  await stage.pass(3 * DAY + 30 * MINUTE);
  expect(stage.dues()).toEqual(['11-24T12:00 +71']);
  expect(stage.dues('s-daily')).toEqual(['11-24T09:00 +2']);
  await stage.pass(HOUR);
  expect(stage.dues()).toEqual(['11-24T12:00 +71', '11-24T13:00']);
  expect(stage.dues('s-daily')).toHaveLength(1);
});

test('a year of minutes is made up for by one Event', async () => {
  const stage = await open();
  await stage.schedule('* * * * *');
  await stage.pass(365 * DAY);
  expect(stage.dues()).toEqual(['11-21T12:00 +100']);
});

test('what falls into the time the daemon was down comes once after the start, and nothing comes twice', async () => {
  const first = await open();
  await first.schedule('0 * * * *');
  await first.pass(2 * HOUR + MINUTE, MINUTE);
  expect(first.dues()).toEqual(['11-21T13:00', '11-21T14:00']);
  const { daemon, dataDir, clock } = first;
  await daemon.stop();

  clock.advance(5 * HOUR);
  const { startDaemon } = await import('../../src/cli/daemon.ts');
  const { dataPaths } = await import('../../src/cli/data-dir.ts');
  const config = {
    paths: dataPaths({ dataDir }, {}),
    address: { host: '127.0.0.1', port: 0 },
    durability: 'normal' as const,
  };
  const agent = {
    kind: 'played',
    check: async () => ({ ok: true as const }),
    run: async () => ({ outcome: 'done' as const, exit: 'ok' }),
  };
  for (let restart = 0; restart < 3; restart++) {
    const again = await startDaemon(config, { agent, now: clock.now, after: clock.after });
    await settle(again);
    const dues = again.queries
      .events(['s-tick'], { limit: 100 })
      .map(({ message }) => message?.extra as { due: string; missed?: number });
    expect(dues.map(({ due }) => due.slice(11, 16))).toEqual(['19:00', '14:00', '13:00']);
    expect(dues[0]).toMatchObject({ missed: 4 });
    await again.stop();
  }
});

test('a paused org holds: nothing comes meanwhile, and one Event when it goes on', async () => {
  const stage = await open();
  await stage.schedule('*/10 * * * *');
  await stage.call('pause_org');
  await stage.pass(3 * HOUR, 5 * MINUTE);
  expect(stage.dues()).toEqual([]);
  await stage.call('resume_org');
  await until(() => stage.events().length > 0);
  await stage.pass(10 * MINUTE, MINUTE);
  expect(stage.dues()).toEqual(['11-21T15:00 +17', '11-21T15:10']);
});

test('a changed schedule holds from then on, a changed name changes nothing, a deleted Stream is silent', async () => {
  const stage = await open();
  await stage.schedule('0 * * * *');
  await stage.pass(30 * MINUTE);
  await stage.call('update_stream', { streamId: 's-tick', name: 'tick-tock' });
  await stage.pass(40 * MINUTE, MINUTE);
  expect(stage.dues()).toEqual(['11-21T13:00']);
  await stage.call('update_stream', {
    streamId: 's-tick',
    transport: { kind: 'cron', config: { schedule: '5,20 * * * *' } },
  });
  await stage.pass(20 * MINUTE, MINUTE);
  expect(stage.dues()).toEqual(['11-21T13:00', '11-21T13:20']);
  await stage.call('delete_stream', { streamId: 's-tick' });
  await stage.pass(2 * HOUR, MINUTE);
  expect(stage.dues()).toHaveLength(2);
});

test('a name changed in a pause does not make it forget what is due', async () => {
  const stage = await open();
  await stage.schedule('0 * * * *');
  await stage.call('pause_org');
  await stage.pass(90 * MINUTE);
  await stage.call('update_stream', { streamId: 's-tick', name: 'tick-tock' });
  await stage.call('resume_org');
  await until(() => stage.events().length > 0);
  expect(stage.dues()).toEqual(['11-21T13:00']);
});

test('a clock that is set back repeats nothing', async () => {
  const stage = await open();
  await stage.schedule('0 * * * *');
  await stage.pass(61 * MINUTE, MINUTE);
  await stage.pass(-30 * MINUTE);
  stage.clock.advance(-30 * MINUTE);
  await stage.pass(40 * MINUTE, MINUTE);
  expect(stage.dues()).toEqual(['11-21T13:00']);
});

test('what cannot be written when it is due is written later, once', async () => {
  const { refuseCommits, DISK_FULL } = await import('../support/dispatcher.ts');
  const stage = await open();
  await stage.schedule('0 * * * *');
  let broken = true;
  refuseCommits(stage.daemon, () => (broken ? DISK_FULL : undefined));
  await stage.pass(62 * MINUTE, MINUTE);
  broken = false;
  expect(stage.dues()).toEqual([]);
  await stage.pass(2 * MINUTE, MINUTE);
  expect(stage.dues()).toEqual(['11-21T13:00']);
});

describe('around the switches of Europe/Berlin', () => {
  test.each([
    ['spring', Date.parse('2026-03-28T12:00:00Z'), ['03-29T01:00', '03-30T00:30']],
    ['autumn', Date.parse('2026-10-24T12:00:00Z'), ['10-25T00:30', '10-26T01:30']],
  ])('in %s, half past two comes once a day', async (_name, start, expected) => {
    const stage = await open();
    stage.clock.advance(start - stage.clock.now().getTime());
    await stage.schedule('30 2 * * *', { timezone: 'Europe/Berlin' });
    await stage.pass(2 * DAY, 30 * MINUTE);
    expect(stage.dues()).toEqual(expected);
  });
});

test('a Stream shows its next three times', async () => {
  const stage = await open();
  const made = await stage.schedule('0 9 * * MON-FRI', { timezone: 'Europe/Berlin' });
  expect(made.next).toMatch(/^(\d{4}-\d\d-\d\d 09:00 Europe\/Berlin(, |$)){3}/);
  expect(await stage.call('get_stream', { id: 's-tick' })).toMatchObject({
    transportKind: 'cron',
    next: expect.stringContaining('09:00 Europe/Berlin'),
  });
});
