// Firing ends a Worker wherever its activation stands: nothing runs any more, what waited is seen as dropped, the id is gone.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import type { AgentResult } from '../../src/domain/agent.ts';
import { alive } from '../agents/play.ts';
import { startTestDaemon, waitFor } from '../support/daemon.ts';
import { type DispatchStage, dispatchStage, until } from '../support/dispatch.ts';

const crash: Partial<AgentResult> = { outcome: 'failed', exit: 'exit code 1' };
const DAY_MS = 86_400_000;

/** Brings `w-ann`, who listens to `s-talk`, to a point; returns Events that wait for her there. */
type Point = (stage: DispatchStage) => Promise<string[]>;

const publish = async (stage: DispatchStage, body: string) => (await stage.publish('s-talk', body)).id as string;

const points: [string, Point][] = [
  [
    'before its first activation',
    async (stage) => {
      await stage.call('pause_org');
      await stage.hire('w-ann', { streams: ['s-talk'] });
      const waiting = await publish(stage, 'waits');
      return [waiting];
    },
  ],
  [
    'while it runs',
    async (stage) => {
      await stage.hire('w-ann', { streams: ['s-talk'] });
      await stage.run(0);
      return [await publish(stage, 'one'), await publish(stage, 'two')];
    },
  ],
  [
    'while it calls a tool',
    async (stage) => {
      await stage.hire('w-ann', { streams: ['s-talk'], grants: ['read_events'] });
      const run = await stage.run(0);
      const waiting = await publish(stage, 'one');
      void run.use('read_events', { wait: 45, since: waiting }).catch(() => {});
      await until(() => stage.daemon.queries.runningActivations().length === 1);
      return [waiting];
    },
  ],
  [
    'in the moment its run ends',
    async (stage) => {
      await stage.hire('w-ann', { streams: ['s-talk'] });
      const run = await stage.run(0);
      const waiting = await publish(stage, 'one');
      run.finish();
      return [waiting];
    },
  ],
  [
    'between two attempts',
    async (stage) => {
      stage.playWith(({ prompt }) => (prompt.includes('poison') ? crash : {}));
      await stage.hire('w-ann', { streams: ['s-talk'] });
      await stage.idle();
      const failed = await publish(stage, 'poison');
      await stage.idle();
      return [failed, await publish(stage, 'later')];
    },
  ],
  [
    'while its triggers are shown one by one',
    async (stage) => {
      stage.playWith(({ prompt }) => (prompt.includes('poison') ? crash : {}));
      await stage.hire('w-ann', { streams: ['s-talk'] });
      await stage.idle();
      await stage.call('pause_worker', { workerId: 'w-ann' });
      const ids = [await publish(stage, 'poison'), await publish(stage, 'poison too')];
      await stage.call('resume_worker', { workerId: 'w-ann' });
      await stage.idle();
      stage.clock.advance(10_000);
      await until(() => stage.runs.length === 3);
      await stage.idle();
      stage.playWith(undefined);
      stage.clock.advance(120_000);
      await stage.run(3);
      return ids;
    },
  ],
  [
    'while its agent is held',
    async (stage) => {
      stage.playWith(() => ({ outcome: 'failed', exit: 'not logged in', agentFault: true }));
      await stage.hire('w-ann', { streams: ['s-talk'] });
      await until(() => stage.notices().length > 0);
      return [await publish(stage, 'waits')];
    },
  ],
  [
    'while it is paused',
    async (stage) => {
      await stage.hire('w-ann', { streams: ['s-talk'] });
      await stage.run(0);
      await stage.call('pause_worker', { workerId: 'w-ann' });
      return [await publish(stage, 'waits')];
    },
  ],
  [
    'with work parked',
    async (stage) => {
      stage.playWith(({ prompt }) => (prompt.includes('poison') ? crash : {}));
      await stage.hire('w-ann', { streams: ['s-talk'] });
      await stage.idle();
      const parked = await publish(stage, 'poison');
      await stage.idle();
      stage.clock.advance(10_000);
      await stage.idle();
      stage.clock.advance(120_000);
      await until(() => stage.daemon.queries.setAside('parked', 1).length === 1);
      return [parked];
    },
  ],
];

test.each(points)('%s', async (_where, bring) => {
  const stage = await dispatchStage();
  await stage.stream('s-talk');
  const waiting = await bring(stage);
  await stage.call('fire_worker', { workerId: 'w-ann' });
  await stage.call('resume_org');
  await stage.idle();
  expect(stage.daemon.dispatcher.running).toBe(0);
  expect(stage.daemon.queries.runningActivations()).toEqual([]);
  expect(stage.runs.every(({ signal }) => !signal.aborted || signal.reason !== undefined)).toBe(true);
  for (const id of waiting) {
    expect(await stage.call('event_status', { id })).toMatchObject({
      workers: [{ workerId: 'w-ann', state: 'dropped', reason: 'fired' }],
    });
  }
  // Nothing of it comes back, whatever was still to come.
  const runs = stage.runs.length;
  await publish(stage, 'after the end');
  stage.clock.advance(DAY_MS);
  await stage.idle();
  expect(stage.runs).toHaveLength(runs);
  await expect(
    stage.call('hire_worker', { id: 'w-ann', positionId: 'p-ann', kind: 'ai', identityContent: 'x' }),
  ).rejects.toThrow(/^Worker w-ann already exists \(fired on 2026-11-2\d; ids are never given twice\)/);
  const exits = (await stage.transcript('w-ann')).filter((line) => line.startsWith('=== exit'));
  expect(exits).toHaveLength(stage.activations('w-ann').length);
});

it('leaves no process of the Worker, however it tries to stay', async () => {
  const program = `
    const { spawn } = require('node:child_process');
    const { writeFileSync } = require('node:fs');
    process.on('SIGINT', () => {});
    const stay = "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
    const child = spawn(process.execPath, ['-e', stay], { detached: true, stdio: 'ignore' });
    child.unref();
    writeFileSync('pids', 'pid ' + process.pid + '\\npid ' + child.pid);
    console.log('at work');
    setInterval(() => {}, 1000);`;
  const daemon = await startTestDaemon({ agent: [process.execPath, '-e', program] });
  const call = (tool: string, args: object) => daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, tool, args);
  await call('hire_worker', { id: 'w-ann', positionId: 'p-root', kind: 'ai', identityContent: 'Ann.' });
  const pids = join(daemon.dir, 'workers', 'w-ann', 'pids');
  const running = await waitFor('both processes run', () =>
    existsSync(pids) ? readFileSync(pids, 'utf8').split('\n') : undefined,
  );
  expect(await alive(running)).toHaveLength(2);
  expect(await call('fire_worker', { workerId: 'w-ann' })).toMatchObject({ kind: 'ok' });
  expect(await alive(running)).toEqual([]);
});
