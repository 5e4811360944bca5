import { describe, expect, test } from 'vitest';
import { cli, runCli, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

const dirs = {
  'a running daemon': async () => (await startTestDaemon()).dir,
  'no daemon': async () => {
    const dir = temporaryDirectory();
    await cli(['bootstrap', '--data-dir', dir]);
    return dir;
  },
};

describe.each(Object.entries(dirs))('with %s', (_with, makeDir) => {
  test('a tool is run as the owner and its result printed as JSON; a refusal is a sentence and exit code 1', async () => {
    const dir = await makeDir();
    const call = (...args: string[]) => cli(['call', ...args, '--quiet', '--data-dir', dir]);
    const made = await call('create_stream', '{"id": "s-a", "name": "a"}');
    expect(made).toEqual({ code: 0, stdout: '{\n  "id": "s-a"\n}\n', stderr: '' });
    expect((await call('publish', '{"streamId": "s-a", "body": "hello"}', '--json')).stdout).toMatch(
      /^\{"id":"e-.*\}\n$/,
    );

    const again = await call('create_stream', '{"id": "s-a", "name": "b"}');
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('s-a') });
    expect(again.stderr.trimEnd().split('\n')).toHaveLength(1);

    expect(await call('create_streams')).toMatchObject({
      code: 1,
      stderr: 'unknown tool "create_streams"; did you mean create_stream?\n',
    });
    expect(await call('publish', '["a"]')).toMatchObject({
      code: 1,
      stderr: 'The arguments are no JSON object: ["a"]\n',
    });
    expect(await call('publish', '{nope')).toMatchObject({
      code: 1,
      stderr: 'The arguments are no JSON object: {nope\n',
    });
    expect(await call('read_events', '{"streamId": "s-a"}')).toMatchObject({
      stdout: expect.stringContaining('"hello"'),
    });
  });

  test('- reads the arguments from stdin', async () => {
    const dir = await makeDir();
    const input = JSON.stringify({ id: 'r-a', content: '# Ä\n\nWith "quotes".' });
    expect(await runCli(['call', 'create_role', '-', '--data-dir', dir], { input })).toMatchObject({ code: 0 });
    expect((await cli(['call', 'list_roles', '--data-dir', dir])).stdout).toContain('Ä');
  });
});

test("what is called without a daemon is the owner's, by the command line, and wakes the Worker when one runs again", async () => {
  const dir = temporaryDirectory();
  const call = (tool: string, args: object) => cli(['call', tool, JSON.stringify(args), '--quiet', '--data-dir', dir]);
  await cli(['bootstrap', '--data-dir', dir]);
  await call('create_role', { id: 'r-a', content: '# A' });
  await call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  await call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
  const woken: string[] = [];
  const daemon = await startTestDaemon({ dir, agent: ({ workerId }) => void woken.push(workerId) });
  await daemon.dispatcher.idle();
  expect(woken).toEqual(['w-a']);
  const hired = daemon.queries.worker('w-a');
  expect(daemon.queries.entry(hired?.hiredSeq ?? 0)).toMatchObject({ actor: 'w-owner', via: 'cli' });
});
