// What a disk that is full for a while does to activations: nothing is lost, nothing runs twice, nothing runs hot.
import { expect, test } from 'vitest';
import { until } from '../support/dispatch.ts';
import { DISK_FULL, openDispatching, refuseCommits } from '../support/dispatcher.ts';
import { hire, stream, subscribe } from '../support/org.ts';

test('a run that cannot be recorded at its start does not begin, and begins once there is room', async () => {
  const stage = await openDispatching();
  let isFull = true;
  await hire(stage, 'w-ann');
  refuseCommits(stage, (newest) => (isFull && newest === 'ActivationStarted' ? DISK_FULL : undefined));
  stage.start();
  await until(() => stage.failures.length === 1);
  await stage.idle();
  for (let n = 2; n <= 4; n++) {
    stage.clock.advance(4_999);
    await stage.idle();
    expect(stage.failures).toHaveLength(n - 1);
    stage.clock.advance(1);
    await until(() => stage.failures.length === n);
    await stage.idle();
  }
  expect(stage.runs).toEqual([]);
  isFull = false;
  stage.play = () => ({});
  stage.clock.advance(5_000);
  await until(() => stage.runs.length === 1);
  await stage.idle();
  expect(stage.story('w-ann')).toEqual(['done 1']);
});

test('a run whose end cannot be recorded does not run again: its end is recorded once there is room', async () => {
  const stage = await openDispatching();
  let isFull = true;
  await hire(stage, 'w-ann');
  await stream(stage, 's-in');
  await subscribe(stage, 'w-ann', 's-in');
  refuseCommits(stage, (newest) => (isFull && newest === 'ActivationEnded' ? DISK_FULL : undefined));
  stage.start();
  await until(() => stage.runs.length === 1);
  stage.runs[0]!.finish();
  await until(() => stage.failures.length === 1);
  await stage.publish('w-owner', 's-in', 'meanwhile');
  for (let n = 2; n <= 4; n++) {
    stage.clock.advance(5_000);
    await until(() => stage.failures.length === n);
  }
  expect(stage.runs).toHaveLength(1);
  expect(stage.dispatcher.activity('w-ann')).toBe('running');
  isFull = false;
  stage.clock.advance(5_000);
  await until(() => stage.runs.length === 2);
  expect(stage.runs[1]!.prompt).toMatch(/^ {4}meanwhile$/m);
  expect(stage.runs[1]!.prompt).not.toContain('kind: hire');
  stage.runs[1]!.finish();
  await stage.idle();
  expect(stage.story('w-ann')).toEqual(['done 1', 'done 1']);
});

test('stopping does not wait for the disk: the next daemon finds the run cut off', async () => {
  const stage = await openDispatching();
  await hire(stage, 'w-ann');
  let isFull = true;
  refuseCommits(stage, (newest) => (isFull && newest === 'ActivationEnded' ? DISK_FULL : undefined));
  stage.start();
  await until(() => stage.runs.length === 1);
  stage.runs[0]!.finish();
  await until(() => stage.failures.length === 1);
  await stage.dispatcher.stop();
  isFull = false;
  expect(await stage.recover()).toHaveLength(1);
  expect(stage.story('w-ann')).toEqual(['lost 1']);
  expect(stage.inbox.next('w-ann', { triggers: 20, bytes: 32_768 })).toMatchObject({ attempt: 2 });
});

test('the end of a run that a person stopped is recorded too, and stopping the daemon then does not hang', async () => {
  const stage = await openDispatching();
  await hire(stage, 'w-ann');
  refuseCommits(stage, (newest) => (newest === 'ActivationEnded' ? DISK_FULL : undefined));
  stage.start();
  await until(() => stage.runs.length === 1);
  stage.dispatcher.interrupt('w-ann', 'person');
  await until(() => stage.failures.length === 1);
  await stage.dispatcher.stop();
});

test('transcript lines that found no room come before the exit line once there is some', async () => {
  const stage = await openDispatching();
  await hire(stage, 'w-ann');
  let isFull = false;
  refuseCommits(stage, () => (isFull ? DISK_FULL : undefined));
  stage.start();
  await until(() => stage.runs.length === 1);
  isFull = true;
  stage.runs[0]!.onSegment({ body: 'said on a full disk' });
  stage.runs[0]!.finish();
  await until(() => stage.failures.length === 1);
  isFull = false;
  stage.clock.advance(5_000);
  await stage.idle();
  expect(await stage.transcript('w-ann')).toEqual([
    '=== activation: hire ===',
    'at work',
    'said on a full disk',
    '=== exit: ok ===',
  ]);
});
