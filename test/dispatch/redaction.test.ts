// What was redacted is neither shown nor kept by a run that was on its way.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, stream, testDirectory } from '../support/org.ts';

const SECRET = 'xyzzymarker4711';

async function idleAnn(directory = testDirectory()) {
  const stage = await openDispatching({ file: join(directory, 'org.db') });
  stage.play = () => ({});
  stage.start();
  await stream(stage, 's-in');
  await hire(stage, 'w-ann', { streams: ['s-in'] });
  await stage.settle();
  stage.play = undefined;
  stage.runs.length = 0;
  return { stage, directory };
}

const redact = (stage: Dispatching, event: number) =>
  stage.commit('w-owner', { type: 'RedactEvent', event, streamId: 's-in', alsoErase: [], reason: 'asked to' });

const holds = (directory: string) =>
  readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(SECRET));

test('a run that is under way is stopped, says nothing any more, and what else it was shown comes again, uncounted', async () => {
  const { stage, directory } = await idleAnn();
  await stage.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ann' });
  const secret = await stage.publish('w-owner', 's-in', SECRET);
  const other = await stage.publish('w-owner', 's-in', 'harmless');
  await stage.commit('w-owner', { type: 'ResumeWorker', workerId: 'w-ann' });
  await until(() => stage.runs.length === 1);
  const run = stage.runs[0]!;
  expect(run.prompt).toContain(SECRET);
  const token = run.mcp.token;
  await redact(stage, secret);
  expect(run.signal.aborted).toBe(true);
  expect(stage.tokens.verify(token)).toBeUndefined();
  run.onSegment({ body: `assistant: I read ${SECRET}`, extra: { text: SECRET } });
  await until(() => stage.runs.length === 2);
  expect(stage.runs[1]!.prompt).not.toContain(SECRET);
  expect(stage.runs[1]!.prompt).toContain('This Event was redacted; its text is gone.');
  expect(stage.runs[1]!.prompt).toContain('harmless');
  expect(stage.runs[1]!.attempt).toBe(1);
  stage.runs[1]!.finish();
  await stage.settle();
  expect(stage.story('w-ann').slice(1)).toEqual(['interrupted 1', 'done 1']);
  expect(stage.statusOf(other, 'w-ann').state).toBe('handled');
  await stage.close();
  expect(holds(directory)).toEqual([]);
});

test('a run that was being started when it was redacted is made again, without it', async () => {
  for (let turns = 0; turns < 4; turns++) {
    const { stage, directory } = await idleAnn();
    const seq = stage.publish('w-owner', 's-in', SECRET);
    const redacted = seq.then(async (event) => {
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await redact(stage, event);
    });
    const other = stage.publish('w-owner', 's-in', 'harmless');
    await redacted;
    await other;
    await until(() => stage.runs.some(({ prompt, signal }) => !signal.aborted && prompt.includes('harmless')));
    for (const run of stage.runs) run.finish();
    await stage.settle();
    expect(stage.story('w-ann').at(-1)).toBe('done 1');
    expect(stage.failures).toEqual([]);
    await stage.close();
    expect(holds(directory)).toEqual([]);
  }
});

test('a start whose prompt is older than the redaction is refused, and nothing of it is stored', async () => {
  const { stage, directory } = await idleAnn();
  await stage.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ann' });
  const seq = await stage.publish('w-owner', 's-in', SECRET);
  const start = {
    type: 'StartActivation' as const,
    activationId: 'a-1',
    workerId: 'w-ann',
    triggers: [seq],
    attempt: 1,
    agent: { kind: 'held' },
    ranWith: { roles: [], identity: 0, grants: 0 },
    content: [{ name: 'prompt', bytes: Buffer.from(`Act on ${SECRET}`) }],
    seenThrough: stage.journal.lastSeq,
  };
  const redacted = redact(stage, seq);
  await expect(stage.commit('system', start)).rejects.toThrow('was redacted after the prompt was made');
  await redacted;
  expect(stage.story('w-ann')).toEqual(['done 1']);
  await stage.commit('system', { ...start, seenThrough: stage.journal.lastSeq, content: [] });
  await stage.close();
  expect(holds(directory)).toEqual([]);
});
