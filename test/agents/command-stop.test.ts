import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { processesOf } from '../../src/agents/process-tree.ts';
import { abortAfter, alive, createFolder, createRun, play, script, sh } from './play.ts';

const LIMITS = { firstOutputMs: 20_000, runMs: 20_000 };

describe.concurrent('a run is stopped', () => {
  test('when nothing is printed in time', async () => {
    const { result, bodies } = await play(['sleep', '300'], { limits: { ...LIMITS, firstOutputMs: 150 } });
    expect(result).toEqual({ outcome: 'timed_out', exit: 'no output for 150 ms' });
    expect(bodies).toEqual([]);
  });

  test('when it takes too long, also where it prints all the time', async () => {
    const { result } = await play(['yes'], { limits: { ...LIMITS, runMs: 400 }, onSegment: () => false });
    expect(result).toMatchObject({ outcome: 'timed_out', exit: 'time limit of 400 ms' });
  });

  test('when it hangs after its output and does not listen to SIGINT', async () => {
    const folder = createFolder();
    const deaf = `process.on('SIGINT', () => console.log('not now')); console.log('pid ' + process.pid); setInterval(() => {}, 1e6);`;
    const { result, bodies } = await play(script(folder, deaf), { folder, ...abortAfter(1) });
    expect(result).toEqual({ outcome: 'interrupted', exit: 'interrupted' });
    expect(bodies).toEqual([expect.stringMatching(/^pid/), 'not now']);
    expect(await alive(bodies)).toEqual([]);
  });

  test('and its outcome follows our intent, not the exit code', async () => {
    const polite = sh('trap "echo bye; exit 0" INT; echo ready; while :; do sleep 0.05; done');
    const { result, bodies } = await play(polite, abortAfter(1, 'shutdown'));
    expect(result).toEqual({ outcome: 'interrupted', exit: 'interrupted: shutdown' });
    expect(bodies).toEqual(['ready', 'bye']);
  });

  test('before it starts, without starting', async () => {
    const folder = createFolder();
    const { result, root } = await play(sh('touch started'), { folder, signal: AbortSignal.abort('interrupted') });
    expect(result).toEqual({ outcome: 'interrupted', exit: 'interrupted' });
    expect(root).toBeUndefined();
    expect(existsSync(`${folder}/started`)).toBe(false);
  });

  test('while it is being started', async () => {
    const controller = new AbortController();
    const playing = play(['sleep', '300'], { signal: controller.signal });
    controller.abort();
    expect((await playing).result).toEqual({ outcome: 'interrupted', exit: 'interrupted' });
  });
});

const DETACHED = {
  marked: '{ detached: true, stdio }',
  unmarked: '{ detached: true, stdio, env: { PATH: process.env.PATH } }',
};
const spawning = `import { spawn } from 'node:child_process';
  const stdio = 'ignore';
  const left = (options) => { const child = spawn('sleep', ['300'], options); console.log('pid ' + child.pid); child.unref(); };`;

describe.concurrent('every process of a run is gone when it is over', () => {
  test('those in sessions of their own, marked or not, deep in the tree', async () => {
    const folder = createFolder();
    const inner = script(
      folder,
      `${spawning} left(${DETACHED.marked}); left(${DETACHED.unmarked}); setInterval(() => {}, 1e6);`,
    );
    const outer = `${spawning} left(${DETACHED.marked}); left(${DETACHED.unmarked}); console.log('pid ' + process.pid);
      const child = spawn(process.execPath, [${JSON.stringify(inner[1])}], { detached: true, stdio: ['ignore', 1, 2], env: {} });
      console.log('pid ' + child.pid);`;
    const { result, bodies } = await play(script(folder, outer), { folder, ...abortAfter(6) });
    expect(result.outcome).toBe('interrupted');
    expect(bodies).toHaveLength(6);
    expect(await alive(bodies)).toEqual([]);
  });

  test('those left behind by a normal end: marked ones anywhere, others in its session', async () => {
    const folder = createFolder();
    const leave = `${spawning} left(${DETACHED.marked}); left({ stdio, env: { PATH: process.env.PATH } });`;
    const { result, bodies } = await play(script(folder, leave), { folder });
    expect(result).toEqual({ outcome: 'done', exit: 'ok' });
    expect(bodies).toHaveLength(2);
    expect(await alive(bodies)).toEqual([]);
  });

  test('those started in answer to the stop', async () => {
    const folder = createFolder();
    const stubborn = `${spawning} process.on('SIGINT', () => { left(${DETACHED.marked}); process.exit(0); });
      console.log('ready'); setInterval(() => {}, 1e6);`;
    const { bodies } = await play(script(folder, stubborn), { folder, ...abortAfter(1) });
    expect(bodies).toEqual(['ready', expect.stringMatching(/^pid/)]);
    expect(await alive(bodies)).toEqual([]);
  });

  test('hundreds that multiply and do not listen to SIGINT', async () => {
    const folder = createFolder();
    writeFileSync(
      `${folder}/grow`,
      'trap "" INT\n[ $1 = 0 ] || for i in 1 2 3; do sh ./grow $(($1-1)) & done\necho pid $$\nsleep 300\n',
    );
    const { result, bodies } = await play(['sh', './grow', '4'], { folder, ...abortAfter(50) });
    expect(result.outcome).toBe('interrupted');
    expect(bodies.length).toBeGreaterThanOrEqual(50);
    expect(await alive(bodies)).toEqual([]);
  });

  test('and a run beside it goes on', async () => {
    const { promise: started, resolve: onStart } = Promise.withResolvers<unknown>();
    const controller = new AbortController();
    const other = createRun({ onStart, signal: controller.signal });
    const beside = play(['sleep', '300'], other);
    await started;
    await play(['sleep', '300'], { limits: { ...LIMITS, firstOutputMs: 50 } });
    expect(await processesOf({ activationId: other.activationId })).toHaveLength(1);
    controller.abort();
    expect((await beside).result.outcome).toBe('interrupted');
  });

  test('except one that left no trace, of which the transcript tells when it holds the output', async () => {
    const folder = createFolder();
    const middle = script(folder, `${spawning} left({ detached: true, stdio: ['ignore', 1, 2], env: {} });`);
    const { bodies } = await play(sh(`env -i "${middle[0]}" "${middle[1]}"`), { folder });
    expect(bodies).toEqual([expect.stringMatching(/^pid/), expect.stringMatching(/^The output is still held open/)]);
    for (const pid of await alive(bodies)) process.kill(pid, 'SIGKILL');
  });
});

test('a program that forks and ends faster than anybody can look is caught by its group', async () => {
  const folder = createFolder();
  writeFileSync(`${folder}/walk`, 'trap "" INT\necho $$ > last\nsh ./walk &\n');
  for (let time = 0; time < 5; time++) {
    await play(['sh', './walk'], { folder });
    const last = readFileSync(`${folder}/last`, 'utf8');
    // Ten programs later it has not moved.
    await play(sh('for i in 1 2 3 4 5 6 7 8 9 10; do sh -c :; done'));
    expect(readFileSync(`${folder}/last`, 'utf8')).toBe(last);
  }
});
