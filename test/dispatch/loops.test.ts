// Workers that answer everything, as whole daemons see it: at most what the limits allow, and one notice.
import { expect, it } from 'vitest';
import { settingDefinitions } from '../../src/store/daemon-settings.ts';
import { type DispatchStage, dispatchStage, NO_LIMITS, until } from '../support/dispatch.ts';

const THREE = ['w-one', 'w-two', 'w-three'];
const defaults = Object.fromEntries(
  Object.keys(NO_LIMITS).map((key) => [key, settingDefinitions[key as keyof typeof settingDefinitions].fallback]),
);

/** Three that listen to one Stream, each of which answers whatever it hears. */
async function triangle(settings: Record<string, unknown>): Promise<DispatchStage> {
  const stage = await dispatchStage({
    settings: { ...defaults, 'dispatch.max_inflight': 8, ...settings },
    play: async (run) => {
      if (run.prompt.includes('kind: hire')) return;
      await run.use('publish', { streamId: 's-round', body: `${run.workerId} answers` });
    },
  });
  await stage.stream('s-round', { transport: 'webhook' });
  for (const id of THREE) await stage.hire(id, { streams: ['s-round'], grants: ['publish'] });
  await stage.idle();
  return stage;
}

/** Until nothing happens any more. */
async function rest(stage: DispatchStage): Promise<void> {
  for (let before = -1; before !== stage.daemon.journal.lastSeq; ) {
    before = stage.daemon.journal.lastSeq;
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await stage.idle();
    }
  }
}

const entries = [
  ['a person', (stage: DispatchStage) => stage.publish('s-round', 'begin')],
  [
    'a webhook',
    async (stage: DispatchStage) => {
      const answer = await fetch(`${stage.daemon.url}/webhooks/s-round`, { method: 'POST', body: 'begin' });
      return (await answer.json()) as Record<string, unknown>;
    },
  ],
] as const;

it.each(entries)(
  'A112: three in a triangle, begun by %s, stop at the hop limit with one notice',
  async (_who, begin) => {
    const stage = await triangle({});
    const first = await begin(stage);
    await rest(stage);
    const root = stage.daemon.queries.event(String(first.id))!.seq;
    const ran = stage.daemon.queries.runCounts.ofRoot(root);
    expect(ran).toBeGreaterThan(8);
    expect(ran).toBeLessThanOrEqual(50);
    expect(stage.notices()).toEqual([expect.stringContaining('Loop stopped on s-round')]);
    const now = stage.runs.length;
    stage.clock.advance(86_400_000);
    await rest(stage);
    expect([stage.runs.length, stage.notices().length]).toEqual([now, 1]);
  },
);

it.each(entries)(
  'A112: three in a triangle, begun by %s, stop at the activations of one cause with one notice',
  async (_who, begin) => {
    const stage = await triangle({ 'dispatch.max_hops': 1_000, 'dispatch.publish_per_minute': null });
    const first = await begin(stage);
    await until(() => stage.notices().length > 0);
    await rest(stage);
    const root = stage.daemon.queries.event(String(first.id))!.seq;
    expect(stage.daemon.queries.runCounts.ofRoot(root)).toBe(50);
    expect(stage.notices()).toEqual(['One cause led to 50 activations']);
    const now = stage.runs.length;
    stage.clock.advance(10_000);
    await rest(stage);
    expect([stage.runs.length, stage.notices().length]).toEqual([now, 1]);
    // Nothing is lost: whatever they said last is held, and can be let go.
    const [last] = stage.daemon.queries.events(['s-round'], { limit: 1 });
    const { workers } = (await stage.call('event_status', { id: last!.id })) as { workers: { state: string }[] };
    expect(workers.map(({ state }) => state).filter((state) => !['held', 'skipped'].includes(state))).toEqual([]);
  },
);

it('A112: three in a triangle who speak outside an activation, as with a token of their own, stop at the rate', async () => {
  const stage = await triangle({ 'dispatch.worker_runs_per_hour': 5 });
  stage.playWith(async ({ workerId }) => {
    // Its own cause each time: only rates can tell.
    await stage.publish('s-round', 'again', workerId);
  });
  await stage.publish('s-round', 'begin');
  await rest(stage);
  for (const id of THREE) expect(stage.activations(id).length).toBeLessThanOrEqual(5);
  expect(stage.notices().sort()).toEqual(THREE.map((id) => `${id} has reached its limit of 5 runs an hour`).sort());
});
