// Who asks a Worker in person and gets no answer is told where they asked, and nobody is woken by it.
import { expect, it } from 'vitest';
import { dispatchStage, until } from '../support/dispatch.ts';

async function office() {
  const stage = await dispatchStage({ play: () => {} });
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'], grants: ['publish', 'dm', 'create_role', 'read_events'] });
  await stage.hire('w-bob', { streams: ['s-talk'], grants: ['dm', 'read_events', 'event_status'] });
  await stage.idle();
  stage.runs.length = 0;
  const ask = async (body: string, from = 'w-owner') => {
    const sent = await stage.call('dm', { toWorkerId: 'w-ann', body }, from);
    await stage.idle();
    return sent as { id: string; streamId: string };
  };
  const bodies = async (streamId: string, workerId = 'w-owner') => {
    const { events } = (await stage.call('read_events', { streamId, limit: 10 }, workerId)) as {
      events: { body: string }[];
    };
    return events.map(({ body }) => body);
  };
  return { stage, ask, bodies };
}

const statusOf = async (stage: Awaited<ReturnType<typeof dispatchStage>>, id: string, as = 'w-owner') =>
  (await stage.call('event_status', { id }, as)).workers as { workerId: string; state: string; reason: string }[];

it('a person who sent a dm reads it beside the question, and in event_status', async () => {
  const { stage, ask, bodies } = await office();
  const { id, streamId } = await ask('Are you there?');
  expect(await bodies(streamId)).toContain('w-ann finished without reply.');
  expect(await statusOf(stage, id)).toContainEqual(
    expect.objectContaining({ workerId: 'w-ann', state: 'handled', reason: 'finished without reply' }),
  );
  const [remark] = stage.daemon.queries.events([streamId], { limit: 1 });
  expect(remark).toMatchObject({ source: '', message: { from: 'helix-org', to: ['w-owner'], in_reply_to: id } });
});

it('an AI that asked is not woken by it, nor is the one that was asked; it reads it when it looks', async () => {
  const { stage, ask, bodies } = await office();
  const { id, streamId } = await ask('Are you there?', 'w-bob');
  stage.clock.advance(3_600_000);
  await stage.idle();
  expect(stage.runs.map(({ workerId }) => workerId)).toEqual(['w-ann']);
  expect(await bodies(streamId, 'w-bob')).toContain('w-ann finished without reply.');
  const [remark] = stage.daemon.queries.events([streamId], { limit: 1 });
  expect(await statusOf(stage, remark!.id)).toEqual([
    { workerId: 'w-ann', state: 'skipped', reason: 'what the daemon says wakes nobody' },
    { workerId: 'w-bob', state: 'skipped', reason: 'what the daemon says wakes nobody' },
  ]);
  expect(await statusOf(stage, id, 'w-bob')).toContainEqual(
    expect.objectContaining({ reason: 'finished without reply' }),
  );
});

it('a long poll of whoever asked ends with it', async () => {
  const { stage } = await office();
  stage.playWith(undefined);
  const { id, streamId } = (await stage.call('dm', { toWorkerId: 'w-ann', body: 'Well?' }, 'w-bob')) as {
    id: string;
    streamId: string;
  };
  const waiting = stage.call('read_events', { streamId, since: id, wait: 45 }, 'w-bob');
  await until(() => stage.daemon.waits.size === 1);
  (await stage.run(0)).finish();
  expect(((await waiting) as { events: { body: string }[] }).events.map(({ body }) => body)).toEqual([
    'w-ann finished without reply.',
  ]);
});

it('whoever is named in `to` was asked too; others who listen were not', async () => {
  const { stage, bodies } = await office();
  const { id } = await stage.call('publish', { streamId: 's-talk', body: 'Ann?', to: ['w-ann'], threadId: 't-1' });
  await stage.idle();
  expect(await bodies('s-talk')).toEqual(expect.arrayContaining(['Ann?', 'w-ann finished without reply.']));
  expect(await bodies('s-talk')).toHaveLength(2);
  const [remark] = stage.daemon.queries.events(['s-talk'], { limit: 1 });
  expect(remark!.message?.thread_id).toBe('t-1');
  expect(await statusOf(stage, String(id))).toEqual([
    expect.objectContaining({ workerId: 'w-ann', reason: 'finished without reply' }),
    expect.objectContaining({
      workerId: 'w-bob',
      reason: 'its activation ended well; it published and changed nothing',
    }),
  ]);
});

it('one remark about many questions, and none when anything was said, or the run did not end well', async () => {
  const { stage, ask, bodies } = await office();
  await stage.call('pause_worker', { workerId: 'w-ann' });
  for (const question of ['one', 'two', 'three']) await ask(question);
  await stage.call('resume_worker', { workerId: 'w-ann' });
  await stage.idle();
  const remarks = async () => (await bodies('s-dm-w-ann-w-owner')).filter((body) => body.includes('without reply'));
  expect(await remarks()).toHaveLength(1);
  stage.playWith(async (run) => void (await run.use('publish', { streamId: 's-talk', body: 'Here I am.' })));
  await ask('four');
  await stage.idle();
  stage.playWith(() => ({ outcome: 'failed', exit: 'exit code 1' }));
  await ask('five');
  expect(await remarks()).toHaveLength(1);
});

it('what the outside asks is not answered by the daemon', async () => {
  const { stage } = await office();
  await stage.stream('s-out', { transport: 'webhook' });
  await stage.call('invite_workers', { streamId: 's-out', workerIds: ['w-ann'] });
  await fetch(`${stage.daemon.url}/webhooks/s-out`, { method: 'POST', body: 'Ann?' });
  await until(() => stage.runs.length === 1);
  await stage.idle();
  expect(stage.daemon.queries.events(['s-out'], { limit: 10 })).toHaveLength(1);
});

it('list_activations counts who said and changed nothing, by Stream and filter', async () => {
  const { stage } = await office();
  const list = async () =>
    (await stage.call('list_activations', { workerId: 'w-ann' })) as {
      activations: { silent?: boolean }[];
      streams: object[];
    };
  await stage.publish('s-talk', 'nothing to do');
  await stage.idle();
  stage.playWith(async (run) => {
    if (run.workerId === 'w-ann') await run.use('create_role', { id: 'r-new', content: 'New.' });
  });
  await stage.publish('s-talk', 'do something');
  await stage.idle();
  const { activations, streams } = await list();
  // Newest first; a hire that led to nothing is silent too, but of no Stream.
  expect(activations.map(({ silent }) => silent)).toEqual([false, true, true]);
  expect(streams).toEqual([{ streamId: 's-talk', runs: 2, silent: 1 }]);
  stage.playWith(() => {});
  const filter = { body: ['urgent*'] };
  await stage.call('invite_workers', { streamId: 's-talk', workerIds: ['w-ann'], filter });
  await stage.publish('s-talk', 'urgent nonsense');
  await stage.idle();
  expect((await list()).streams).toEqual([
    { streamId: 's-talk', runs: 2, silent: 1 },
    { streamId: 's-talk', filter, runs: 1, silent: 1 },
  ]);
  const all = stage.daemon.queries.silentShares('2026-01-01T00:00:00.000Z');
  expect(all).toContainEqual({ workerId: 'w-bob', streamId: 's-talk', filter: null, runs: 3, silent: 3 });
  expect(stage.daemon.queries.silentShares('2027-01-01T00:00:00.000Z')).toEqual([]);
});
