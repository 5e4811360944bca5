import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { line } from '../../src/cli/tail.ts';
import {
  cli,
  connectOwner,
  type RunningCli,
  spawnDaemon,
  startCli,
  startTestDaemon,
  temporaryDirectory,
  waitFor,
} from '../support/daemon.ts';

const launcher = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));

/** Publishes until the tail shows it: so it is known to listen. */
async function listening(tail: RunningCli, publish: () => Promise<unknown>): Promise<void> {
  await waitFor('the tail listens', async () => {
    await publish();
    return tail.output.stdout !== '';
  });
}

const event = {
  seq: 7,
  id: 'e-1',
  streamId: 's-a',
  source: 'w-a',
  body: 'hello',
  createdAt: '2026-01-02T03:04:05.678Z',
};

describe('a line', () => {
  test('says when, where, who and what', () => {
    expect(line(event, false)).toMatch(/^\d\d:04:05 s-a w-a hello$/);
    expect(line({ ...event, source: '', subject: 'Re: it' }, false)).toMatch(/ s-a - Re: it: hello$/);
  });

  test('is one line, and cannot steer a terminal', () => {
    const shown = line({ ...event, body: 'a\r\nb\n\u001b[2J\u0007\u009b\u202ec\u2028d\te' }, false);
    expect(shown).toMatch(/ a ⏎ b ⏎ ·\[2J···c·d·e$/);
  });

  test('is coloured only when asked to', () => {
    expect(line(event, true)).toContain('\u001b[');
  });
});

test('Events are printed as they land, of the Streams that were named, and Ctrl-C ends it well', async () => {
  const daemon = await startTestDaemon();
  const owner = await connectOwner(daemon);
  for (const name of ['mail', 'mail-old', 'web']) await owner.call('create_stream', { id: `s-${name}`, name });
  const publish = (streamId: string, body: string) => owner.call('publish', { streamId, body });
  const tail = startCli(['tail', 's-mail*', '--data-dir', daemon.dir]);
  await listening(tail, () => publish('s-mail', 'first'));
  await publish('s-web', 'not this');
  await publish('s-mail-old', 'last');
  await waitFor('the last is there', () => tail.output.stdout.includes('last'));
  tail.child.kill('SIGINT');
  const { code, stdout, stderr } = await tail.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: `Data directory: ${daemon.dir}\n` });
  const lines = stdout.trimEnd().split('\n');
  for (const each of lines) expect(each).toMatch(/^\d\d:\d\d:\d\d s-mail(-old)? w-owner (first|last)$/);
});

test('--since begins after an Event, --json prints objects, --transcripts shows what agents do', async () => {
  const daemon = await startTestDaemon({ agent: ({ onSegment }) => void onSegment({ body: 'thinking' }) });
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-a', name: 'a' });
  const { id: first } = await owner.call('publish', { streamId: 's-a', body: 'one' });
  await owner.call('publish', { streamId: 's-a', body: 'two' });
  await owner.call('create_role', { id: 'r-a', content: '# A' });
  await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
  await daemon.dispatcher.idle();
  const collect = async (until: string, ...args: string[]) => {
    const tail = startCli(['tail', '--since', String(first), '--json', ...args, '--data-dir', daemon.dir]);
    await waitFor(`${until} is there`, () => tail.output.stdout.includes(until));
    tail.child.kill('SIGTERM');
    const { code, stdout, stderr } = await tail.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each) as typeof event);
  };
  expect((await collect('two')).map(({ body }) => body)).toEqual(['two']);
  const bodies = (await collect('exit: ok', '--transcripts')).map(({ body }) => body);
  expect(bodies).toEqual(expect.arrayContaining(['two', 'thinking', '=== exit: ok ===']));
});

test.each([
  ['where it was', true],
  ['on another port', false],
])('it goes on where it stopped when the daemon comes back %s', async (_where, isSame) => {
  const first = await spawnDaemon();
  const port = isSame ? new URL(first.url).port : '0';
  await (await connectOwner(first)).call('create_stream', { id: 's-a', name: 'a' });
  const tail = startCli(['tail', '--data-dir', first.dir]);
  const owner = await connectOwner(first);
  await listening(tail, () => owner.call('publish', { streamId: 's-a', body: 'before' }));
  await first.kill('SIGKILL');
  await cli(['call', 'publish', '{"streamId": "s-a", "body": "meanwhile"}', '--data-dir', first.dir]);
  await spawnDaemon({ dir: first.dir, args: ['--addr', `127.0.0.1:${port}`] });
  await waitFor('what came meanwhile is there', () => tail.output.stdout.includes('meanwhile'));
  expect(tail.output.stderr).toContain('The daemon is gone; waiting for it to come back.');
});

test('what the daemon refuses is said in its words, as no error of ours', async () => {
  const daemon = await startTestDaemon();
  const { code, stderr } = await cli(['tail', '--quiet', '--since', 'e-nothing', '--data-dir', daemon.dir]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^since: there is no Event e-nothing\./) });
});

test('a closed pipe ends it well', async () => {
  const daemon = await startTestDaemon();
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-a', name: 'a' });
  const line = `set -o pipefail; "${process.execPath}" "${launcher}" tail --quiet --data-dir "${daemon.dir}" | head -n 1`;
  const shell = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '' };
  shell.stdout.on('data', (chunk) => (output.text += chunk));
  shell.stderr.on('data', (chunk) => (output.text += `stderr: ${chunk}`));
  const ended = new Promise<number | null>((resolve) => shell.once('close', resolve));
  await waitFor('it has ended', async () => {
    await owner.call('publish', { streamId: 's-a', body: 'again' });
    return shell.exitCode !== null;
  });
  expect(await ended).toBe(0);
  expect(output.text).toMatch(/^\S+ s-a w-owner again\n$/);
});

test('without a daemon it is refused', async () => {
  const dir = temporaryDirectory();
  await cli(['bootstrap', '--data-dir', dir]);
  expect(await cli(['tail', '--data-dir', dir])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`No daemon runs on ${dir}; start one with \`helix-org serve\`.`),
  });
});
