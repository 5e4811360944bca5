// Several agents in one daemon: each Worker is played as was chosen for it, and the hold of one kind keeps no other waiting.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect, connectOwner, startTestDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';

const script = (name: string, body: string) => {
  const file = join(temporaryDirectory(), `${name}.cjs`);
  writeFileSync(file, `require('node:fs').readFileSync(0);\n${body}`);
  return [process.execPath, file];
};

async function office(agent: string[], settings: Record<string, unknown> = {}) {
  const daemon = await startTestDaemon({ agent, settings });
  const owner = await connectOwner(daemon);
  await owner.call('create_role', { id: 'r-a', content: '# A' });
  await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  const hire = (id: string, own?: unknown) =>
    owner.call('hire_worker', {
      id,
      positionId: 'p-a',
      kind: 'ai',
      identityContent: 'A.',
      grants: [],
      ...(own === undefined ? {} : { agent: own }),
    });
  const runs = (id: string) => daemon.queries.activationsOf(id, 10);
  const ended = (id: string, count = 1) =>
    waitFor(`${id} has run ${count} times`, () => runs(id).filter(({ endedAt }) => endedAt !== null).length >= count);
  const lines = async (id: string) => {
    await daemon.journal.flush();
    return daemon.queries.events([`s-activations-${id}`], { limit: 50 }).map(({ body }) => body);
  };
  return { daemon, owner, hire, runs, ended, lines };
}

test('Workers with commands of their own are played by them, beside those played as is set for all', async () => {
  const { daemon, owner, hire, ended, lines } = await office(script('common', "console.log('common');"));
  const own = script('own', "console.log('own');");
  await hire('w-all');
  await hire('w-own', { kind: 'command', command: own });
  await Promise.all([ended('w-all'), ended('w-own')]);
  expect([await lines('w-all'), await lines('w-own')]).toMatchObject([
    expect.arrayContaining(['common']),
    expect.arrayContaining(['own']),
  ]);
  expect(await owner.call('get_worker', { id: 'w-own' })).toMatchObject({ agent: { kind: 'command', command: own } });
  // It holds from the next activation on.
  expect(await owner.call('update_agent', { workerId: 'w-own', agent: null })).toMatchObject({ agent: {} });
  await owner.call('activate_worker', { workerId: 'w-own', reason: 'again' });
  await ended('w-own', 2);
  expect(await lines('w-own')).toEqual(expect.arrayContaining(['own', 'common']));
  const facts = daemon.queries
    .entriesAfter(0, 1_000)
    .flatMap(({ event }) => (event.type === 'AgentUpdated' ? [event] : []));
  expect(facts).toEqual([{ type: 'AgentUpdated', workerId: 'w-own', agent: {} }]);
});

test('the time limit of a Worker is its own', async () => {
  const { hire, ended, runs } = await office(script('long', "console.log('at work'); setInterval(() => {}, 1000);"));
  await hire('w-hasty', { runSeconds: 1 });
  await hire('w-slow');
  await ended('w-hasty');
  expect(runs('w-hasty').at(-1)).toMatchObject({ state: 'timed_out' });
  expect(runs('w-slow')).toMatchObject([{ state: 'running' }]);
});

test('a kind that is not there is held, told once and by name, while the others go on; whoever changes to another runs', async () => {
  const { daemon, owner, hire, ended, runs } = await office(script('common', "console.log('common');"), {
    'codex.bin': '/nonexistent/codex',
  });
  await hire('w-codex', 'codex');
  await hire('w-other', { kind: 'codex', model: 'gpt-x' });
  const held = () => [...daemon.journal.org.holds.entries()].map(([name, { kinds }]) => [name, kinds]);
  await waitFor('codex is held', () => held().length > 0);
  expect(held()).toEqual([['agent:codex', ['codex']]]);
  await hire('w-all');
  await ended('w-all');
  expect(runs('w-all')).toMatchObject([{ state: 'done' }]);
  await waitFor('both wait', () => ['w-codex', 'w-other'].every((id) => daemon.dispatcher.activity(id) === 'held'));
  expect(runs('w-codex')[0]?.attempt ?? 1).toBe(1);
  const notices = () => daemon.queries.events(['s-notices'], { limit: 10 }).map(({ message }) => message?.subject);
  expect(notices()).toEqual(['The agent codex does not work']);
  await owner.call('update_agent', { workerId: 'w-codex', agent: { kind: '' } });
  await waitFor('w-codex is played by the command', () => runs('w-codex').some(({ state }) => state === 'done'));
  expect(held()).toEqual([['agent:codex', ['codex']]]);
  // Nobody is played by it any more.
  await owner.call('update_agent', { workerId: 'w-other', agent: 'command' });
  await waitFor('the hold is over', () => held().length === 0);
  await waitFor('w-other ran', () => runs('w-other').some(({ state }) => state === 'done'));
  expect(notices()).toHaveLength(1);
});

test('a command is set by the owner alone, whatever tools a Worker holds', async () => {
  const mark = join(temporaryDirectory(), 'mark');
  const { daemon, hire, owner } = await office(script('common', ''));
  await hire('w-boss');
  await owner.call('grant_tool', { workerId: 'w-boss', toolName: 'update_agent' });
  const { token } = daemon.tokens.create({ workerId: 'w-boss', label: 'test' });
  const boss = await connect(daemon.url, 'w-boss', token);
  const command = [process.execPath, '-e', `require('fs').writeFileSync(${JSON.stringify(mark)}, '')`];
  await expect(boss.call('update_agent', { workerId: 'w-boss', agent: { command } })).rejects.toThrow('only the owner');
  await boss.call('update_agent', { workerId: 'w-boss', agent: { kind: 'command', runSeconds: 30 } });
  expect(existsSync(mark)).toBe(false);
});
