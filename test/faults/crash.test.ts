import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readFeed } from '../../src/cli/event-source.ts';
import { openDatabase } from '../../src/store/database.ts';
import { judge, overlapsIn } from './judge.ts';
import { numbersFrom } from './power-cut.ts';
import {
  type Acknowledged,
  foundOrg,
  killLeftovers,
  load,
  type Serve,
  seed,
  serve,
  temporaryDirectory,
  until,
} from './serve.ts';

const KILLS = Number(process.env.HELIX_KILLS ?? 50);
const CONNECTIONS = 4;
const MOST_ACKS = 60;
const MOST_LINES = 12;
const dataDir = temporaryDirectory('crash');
const agent = ['--agent-command', JSON.stringify(['sh', '-c', 'cat > /dev/null; echo seen; sleep 0.05'])];

afterAll(() => {
  killLeftovers();
  rmSync(dataDir, { recursive: true, force: true });
});

it('A109: loses nothing that was acknowledged, and repeats nothing that was done, over many kills at random points', {
  timeout: 600_000,
}, async () => {
  const random = numbersFrom(seed);
  console.log(`seed ${seed} (HELIX_SEED), ${KILLS} kills (HELIX_KILLS)`);
  const acknowledged: Acknowledged[] = [];
  let daemon = await serve(dataDir, { args: agent });
  await foundOrg(daemon);
  for (let kill = 0; kill < KILLS; kill++) {
    const point = { acks: Math.floor(random() * MOST_ACKS), lines: Math.floor(random() * MOST_LINES) };
    await killUnderLoad(daemon, acknowledged, kill, point);
    daemon = await serve(dataDir, { args: agent });
  }
  await until(
    'everything is worked off',
    async () => {
      const { workers } = (await daemon.call('list_workers', {})) as { workers: { id: string; state: string }[] };
      return workers.find(({ id }) => id === 'w-worker')?.state === 'idle';
    },
    300_000,
  );
  await daemon.stop();
  const { attempts, events, ...rest } = judge(dataDir, acknowledged);
  console.log(`${acknowledged.length} acknowledged, ${events} stored, ${attempts} second attempts`);
  expect(rest).toEqual({
    lost: [],
    twice: [],
    doneTwice: [],
    running: [],
    waiting: 0,
    ledger: [],
    passedOver: [],
    overlapping: [],
    problems: [],
    rebuildDiffers: false,
  });
  expect(events).toBeGreaterThanOrEqual(acknowledged.length);
  expect(attempts).toBeGreaterThan(0);
});

/** The kill comes when so many posts are acknowledged, and so many lines of transcript (begins and ends of runs) were seen. */
async function killUnderLoad(
  daemon: Serve,
  acknowledged: Acknowledged[],
  kill: number,
  { acks, lines }: { acks: number; lines: number },
) {
  const before = acknowledged.length;
  const listening = new AbortController();
  let seen = 0;
  const token = readFileSync(join(dataDir, 'owner-token'), 'utf8').trim();
  const feed = readFeed({
    url: `${daemon.url}/events?transcripts=1&streams=s-activations-*`,
    token,
    since: '0',
    signal: listening.signal,
  });
  const began = new Date().toISOString();
  const counting = (async () => {
    for await (const { data } of feed) if ((JSON.parse(data) as { createdAt: string }).createdAt > began) seen += 1;
  })();
  const posting = load(daemon.url, CONNECTIONS, acknowledged, { prefix: `k${kill}`, most: MOST_ACKS });
  await until(`${acks} posts are acknowledged`, () => acknowledged.length >= before + acks);
  await until(`${lines} lines are written`, () => seen >= lines);
  await daemon.kill();
  listening.abort();
  await Promise.all([posting.stop(), counting]);
}

it('has judges with teeth: a lost, a doubled and a changed Event are each found', async () => {
  const dir = temporaryDirectory('judge');
  const daemon = await serve(dir, { args: agent });
  await foundOrg(daemon);
  const acknowledged: Acknowledged[] = [];
  const posting = load(daemon.url, 1, acknowledged, { prefix: 'a' });
  await until('some posts are acknowledged', () => acknowledged.length > 3);
  await posting.stop();
  const first = acknowledged[0] as Acknowledged;
  await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: first.body });
  await daemon.stop();
  const missing = {
    key: 'never',
    body: 'never sent',
    id: first.id.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
  };
  const judgement = judge(dir, [...acknowledged, missing]);
  expect(judgement.lost).toEqual(['never']);
  expect(judgement.twice).toEqual([first.body]);
  rmSync(dir, { recursive: true, force: true });
});

it('has judges of the dispatch with teeth: what was passed over, what has no state, and runs side by side are found', async () => {
  const dir = temporaryDirectory('judge');
  const daemon = await serve(dir, { args: agent });
  await foundOrg(daemon);
  await daemon.call('pause_org', {});
  const acknowledged: Acknowledged[] = [];
  const posting = load(daemon.url, 1, acknowledged, { prefix: 'a', most: 3 });
  await until('some posts are acknowledged', () => acknowledged.length === 3);
  await posting.stop();
  await daemon.stop();
  const whole = judge(dir, acknowledged);
  expect({ waiting: whole.waiting, passedOver: whole.passedOver }).toEqual({ waiting: 4, passedOver: [] });
  expect(whole.ledger).toEqual(acknowledged.map(({ id }) => `${id}: queued`).reverse());
  const db = openDatabase(join(dir, 'org.db'));
  db.sqlite.exec("UPDATE workers SET checkpoint = 1000000 WHERE id = 'w-worker'");
  db.sqlite.close();
  expect(judge(dir, acknowledged)).toMatchObject({
    passedOver: [expect.any(Number), expect.any(Number), expect.any(Number)],
    rebuildDiffers: true,
  });
  const run = (type: 'ActivationStarted' | 'ActivationEnded', activationId: string) => ({
    type,
    workerId: 'w-a',
    activationId,
  });
  expect(
    overlapsIn([run('ActivationStarted', 'a-1'), run('ActivationStarted', 'a-2'), run('ActivationEnded', 'a-1')]),
  ).toEqual(['a-2']);
  expect(
    overlapsIn([run('ActivationStarted', 'a-1'), run('ActivationEnded', 'a-1'), run('ActivationStarted', 'a-2')]),
  ).toEqual([]);
  rmSync(dir, { recursive: true, force: true });
});
