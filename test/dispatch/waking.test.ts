import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../support/daemon.ts';
import { dispatchStage, until } from '../support/dispatch.ts';

it('A99: publishing activates every subscribed AI Worker exactly once, except the publisher', async () => {
  const stage = await dispatchStage({ play: () => {} });
  await stage.stream('s-talk');
  for (const id of ['w-ann', 'w-bob', 'w-cy']) await stage.hire(id, { streams: ['s-talk'], grants: ['publish'] });
  await stage.idle();
  stage.runs.length = 0;
  await stage.publish('s-talk', 'hello', 'w-ann');
  await stage.idle();
  expect(stage.runs.map(({ workerId }) => workerId).sort()).toEqual(['w-bob', 'w-cy']);
});

it('A100: people are never activated', async () => {
  const stage = await dispatchStage({ play: () => {} });
  await stage.stream('s-talk');
  await stage.hire('w-hana', { kind: 'human', streams: ['s-talk'] });
  await stage.publish('s-talk', 'hello');
  await stage.idle();
  expect(stage.runs).toEqual([]);
});

it('A101: a Worker whose folder cannot be made fails where everybody sees it; the others still run', async () => {
  const stage = await dispatchStage({ play: () => {} });
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.hire('w-bob', { streams: ['s-talk'] });
  await stage.idle();
  stage.runs.length = 0;
  const folder = join(stage.dataDir, 'workers', 'w-ann');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  await stage.publish('s-talk', 'hello');
  await stage.idle();
  expect(stage.runs.map(({ workerId }) => workerId)).toEqual(['w-bob']);
  expect(stage.activations('w-ann').at(-1)).toMatchObject({
    state: 'failed',
    exit: expect.stringMatching(/EEXIST|ENOTDIR/),
  });
  expect((await stage.transcript('w-ann')).at(-1)).toMatch(/^=== exit: .*(EEXIST|ENOTDIR)/);
});

it('A102: three Events published during a run lead to exactly one further run that lists all three in order', async () => {
  const stage = await dispatchStage();
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  const hired = await stage.run(0);
  for (const body of ['one', 'two', 'three']) await stage.publish('s-talk', body);
  hired.finish();
  const second = await stage.run(1);
  expect(second.prompt).toContain('3 triggers came together');
  expect(second.prompt.match(/\[\d\/3\]|^ {4}(one|two|three)$/gm)).toEqual([
    '[1/3]',
    '    one',
    '[2/3]',
    '    two',
    '[3/3]',
    '    three',
  ]);
  second.finish();
  await stage.idle();
  expect(stage.runs).toHaveLength(2);
});

it('A103: two runs of one Worker never overlap; two Workers do run at once', async () => {
  const stage = await dispatchStage();
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.hire('w-bob', { streams: ['s-talk'] });
  const [first, second] = [await stage.run(0), await stage.run(1)];
  expect(new Set([first.workerId, second.workerId])).toEqual(new Set(['w-ann', 'w-bob']));
  await stage.publish('s-talk', 'while both run');
  await stage.publish('s-talk', 'and again');
  expect(stage.runs).toHaveLength(2);
  expect(stage.daemon.dispatcher.running).toBe(2);
  first.finish();
  const third = await stage.run(2);
  expect(third.workerId).toBe(first.workerId);
  second.finish();
  (await stage.run(3)).finish();
  third.finish();
  await stage.idle();
});

it('A104: a failed activation does not block what comes later', async () => {
  const stage = await dispatchStage({
    settings: { 'dispatch.attempts': 1 },
    play: ({ prompt }) => (prompt.includes('poison') ? { outcome: 'failed', exit: 'exit code 1' } : {}),
  });
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.idle();
  await stage.publish('s-talk', 'poison');
  await stage.idle();
  await stage.publish('s-talk', 'water');
  await stage.idle();
  expect(stage.activations('w-ann').map(({ state }) => state)).toEqual(['done', 'failed', 'done']);
});

it('A105: publishing returns before the activation ends', async () => {
  const stage = await dispatchStage();
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  (await stage.run(0)).finish();
  const answer = await stage.publish('s-talk', 'hello');
  expect(answer).toMatchObject({ streamId: 's-talk', subscribers: 1, activates: { count: 1, workers: ['w-ann'] } });
  (await stage.run(1)).finish();
});

it('A106: source_kind says who speaks: human, ai, or nothing for the outside', async () => {
  const stage = await dispatchStage({ play: () => {} });
  await stage.stream('s-talk', { transport: 'webhook' });
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.hire('w-bob', { grants: ['publish'] });
  await stage.idle();
  stage.runs.length = 0;
  await stage.publish('s-talk', 'from a person');
  await stage.idle();
  await stage.publish('s-talk', 'from an AI', 'w-bob');
  await stage.idle();
  await fetch(`${stage.daemon.url}/webhooks/s-talk`, { method: 'POST', body: 'from outside' });
  await until(() => stage.runs.length === 3);
  await stage.idle();
  const kinds = stage.runs.map(({ prompt }) => /^source_kind: (.*)$/m.exec(prompt)?.[1]);
  expect(kinds).toEqual(['human', 'ai', undefined]);
  expect(stage.runs[2]?.prompt).not.toMatch(/^source: /m);
});

it('A107: transcript lines never activate anybody, even an AI that listens to them', async () => {
  const stage = await dispatchStage({ play: (run) => void run.onSegment({ body: 'thinking aloud' }) });
  await stage.hire('w-ann');
  await stage.hire('w-bob', { streams: ['s-activations-w-ann'] });
  await stage.idle();
  stage.runs.length = 0;
  await stage.call('activate_worker', { workerId: 'w-ann' });
  await stage.idle();
  await stage.daemon.journal.flush();
  await stage.idle();
  expect(stage.runs.map(({ workerId }) => workerId)).toEqual(['w-ann']);
});

it('A108: hiring an AI Worker gives it exactly one trigger, its hire', async () => {
  const stage = await dispatchStage({ play: () => {} });
  await stage.hire('w-ann');
  await stage.idle();
  expect(stage.runs).toHaveLength(1);
  expect(stage.runs[0]?.prompt.match(/=== Trigger ===/g)).toHaveLength(1);
  expect(stage.runs[0]?.prompt).toContain('kind: hire');
});

it('A62: the first list of tools that a hired agent sees has what it was granted', async () => {
  const seen: Record<string, string[]> = {};
  const stage = await dispatchStage({
    play: async ({ mcp, workerId }) => {
      const caller = await connect(new URL(mcp.url).origin, workerId, mcp.token);
      seen[workerId] = (await caller.tools()).sort();
    },
  });
  await stage.hire('w-ann', { grants: ['publish', 'dm'] });
  await stage.hire('w-bob');
  await stage.idle();
  expect(seen).toEqual({ 'w-ann': ['dm', 'publish'], 'w-bob': [] });
});

it('loses no wake at any moment around the end of a run', async () => {
  const stage = await dispatchStage();
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  (await stage.run(0)).finish();
  await stage.idle();
  let expected = 1;
  for (let offset = 0; offset < 40; offset++) {
    await stage.publish('s-talk', `first ${offset}`);
    const run = await stage.run(expected++);
    run.finish();
    for (let tick = 0; tick < offset; tick++) await Promise.resolve();
    const landed = stage.publish('s-talk', `second ${offset}`);
    const next = await stage.run(expected++);
    expect(next.prompt).toContain(`second ${offset}`);
    await landed;
    next.finish();
    await stage.idle();
  }
});

it('a batch never mixes what came from outside with what came from inside, and is bounded', async () => {
  const stage = await dispatchStage({ settings: { 'dispatch.batch_triggers': 3, 'dispatch.batch_bytes': 10_000 } });
  await stage.stream('s-talk', { transport: 'webhook' });
  await stage.hire('w-ann', { streams: ['s-talk'] });
  const hired = await stage.run(0);
  const post = (body: string) => fetch(`${stage.daemon.url}/webhooks/s-talk`, { method: 'POST', body });
  for (const body of ['in 1', 'in 2']) await stage.publish('s-talk', body);
  for (const body of ['out 1', 'out 2', 'out 3', 'out 4']) await post(body);
  await stage.publish('s-talk', 'x'.repeat(6_000));
  await stage.publish('s-talk', 'y'.repeat(6_000));
  hired.finish();
  const batches: string[] = [];
  for (let n = 1; n <= 5; n++) {
    const run = await stage.run(n);
    batches.push([...run.prompt.matchAll(/^body:\n {4}(.{1,5})/gm)].map((match) => match[1]).join(','));
    run.finish();
  }
  await stage.idle();
  expect(batches).toEqual(['in 1,in 2', 'out 1,out 2,out 3', 'out 4', 'xxxxx', 'yyyyy']);
});
