import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { dispatchStage, until } from '../support/dispatch.ts';

async function runningStage() {
  const stage = await dispatchStage();
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  (await stage.run(0)).finish();
  await stage.idle();
  const event = await stage.publish('s-talk', 'work');
  const run = await stage.run(1);
  return { stage, event, run };
}

it('a person who interrupts is obeyed: the run ends, its trigger is parked until somebody calls retry', async () => {
  const { stage, event, run } = await runningStage();
  expect(await stage.call('interrupt_worker', { workerId: 'w-ann' })).toEqual({ id: 'w-ann', interrupted: true });
  expect(run.signal.aborted).toBe(true);
  await stage.idle();
  expect(stage.activations('w-ann').at(-1)).toMatchObject({ state: 'interrupted' });
  expect(await stage.call('event_status', { id: event.id })).toMatchObject({ workers: [{ state: 'parked' }] });
  await stage.publish('s-talk', 'later work');
  (await stage.run(2)).finish();
  await stage.idle();
  await stage.call('retry', { id: event.id });
  const again = await stage.run(3);
  expect(again.prompt).toMatch(/^ {4}work$/m);
  expect(again.attempt).toBe(1);
});

it('pausing a Worker stops its run and holds its inbox; resuming shows the batch again, uncounted', async () => {
  const { stage, run } = await runningStage();
  expect(await stage.call('pause_worker', { workerId: 'w-ann' })).toEqual({
    id: 'w-ann',
    state: expect.stringMatching(/paused|running/),
  });
  expect(run.signal.aborted).toBe(true);
  await stage.idle();
  await stage.publish('s-talk', 'more');
  await stage.idle();
  expect(stage.runs).toHaveLength(2);
  await stage.call('resume_worker', { workerId: 'w-ann' });
  const again = await stage.run(2);
  expect(again.attempt).toBe(1);
  expect(again.prompt).toMatch(/^ {4}work$/m);
  again.finish();
  expect((await stage.run(3)).prompt).toMatch(/^ {4}more$/m);
});

it('pausing the org stops everybody and starts nobody; resuming loses nothing', async () => {
  const { stage, run } = await runningStage();
  await stage.call('pause_org');
  expect(run.signal.aborted).toBe(true);
  await stage.idle();
  expect(await stage.publish('s-talk', 'while paused')).toMatchObject({
    warnings: [expect.stringContaining('paused')],
  });
  await stage.idle();
  expect(stage.runs).toHaveLength(2);
  await stage.call('resume_org');
  (await stage.run(2)).finish();
  expect((await stage.run(3)).prompt).toContain('while paused');
});

it('firing ends the run, drops what was pending where everybody sees it, ends the token, and archives the folder', async () => {
  const { stage, run } = await runningStage();
  const pending = await stage.publish('s-talk', 'pending');
  await stage.call('fire_worker', { workerId: 'w-ann' });
  expect(run.signal.aborted).toBe(true);
  await stage.idle();
  await expect(run.use('publish', { streamId: 's-talk', body: 'from beyond' })).rejects.toThrow('401');
  expect(await stage.call('event_status', { id: pending.id })).toMatchObject({
    workers: [{ workerId: 'w-ann', state: 'dropped', reason: 'fired' }],
  });
  expect(stage.runs).toHaveLength(2);
  expect(existsSync(join(stage.dataDir, 'workers', 'w-ann'))).toBe(false);
  await expect(stage.hire('w-ann')).rejects.toThrow('already exists');
  expect(stage.activations('w-ann').at(-1)).toMatchObject({ state: 'interrupted' });
});

it('the token of a run is dead after its end', async () => {
  const { stage, run } = await runningStage();
  run.finish();
  await stage.idle();
  await expect(run.use('list_workers', {})).rejects.toThrow('401');
});

it('stopping the daemon ends runs as interrupted; the next one shows the batch again, uncounted', async () => {
  const { stage } = await runningStage();
  await stage.daemon.stop();
  expect(readdirSync(stage.dataDir)).not.toContain('daemon.json');
  const next = await dispatchStage({ dataDir: stage.dataDir });
  const again = await next.run(0);
  expect(again.attempt).toBe(1);
  expect(again.prompt).toMatch(/^ {4}work$/m);
  expect(next.activations('w-ann').map(({ state }) => state)).toEqual(['done', 'interrupted', 'running']);
});

it('A109: a daemon that dies in a run leaves it to the next one: closed as lost, shown again once as attempt 2', async () => {
  const { stage, run } = await runningStage();
  await stage.daemon.journal.flush();
  const copy = join(stage.dataDir, 'copy');
  const { sqlite } = openDatabase(stage.daemon.paths.db, 'normal');
  sqlite.exec(`VACUUM INTO '${join(stage.dataDir, 'copy.db')}'`);
  sqlite.close();
  const { cpSync, mkdirSync, renameSync } = await import('node:fs');
  mkdirSync(copy);
  renameSync(join(stage.dataDir, 'copy.db'), join(copy, 'org.db'));
  cpSync(stage.daemon.paths.keyFile, join(copy, 'key'));
  run.finish();
  await stage.idle();
  const next = await dispatchStage({ dataDir: copy });
  const again = await next.run(0);
  expect(again.attempt).toBe(2);
  expect(again.prompt).toContain('attempt 2: a previous run was cut off');
  again.finish();
  await next.idle();
  expect(next.runs).toHaveLength(1);
  expect(next.activations('w-ann').map(({ state }) => state)).toEqual(['done', 'lost', 'done']);
  const exits = (await next.transcript('w-ann')).filter((line) => line.startsWith('=== exit'));
  expect(exits).toEqual(['=== exit: ok ===', expect.stringContaining('=== exit: lost'), '=== exit: ok ===']);
  await until(() => next.daemon.dispatcher.running === 0);
});
