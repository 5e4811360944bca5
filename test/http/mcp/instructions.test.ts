import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';
import { clients } from '../../support/mcp-clients.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-boss', { kind: 'human' });
  await daemon.call('create_role', { id: 'r-desk', content: '# Role: Support Desk\n\nAnswers mail.' });
  await daemon.call('create_position', { id: 'p-desk', roleId: 'r-desk', parentId: 'p-boss' });
  await daemon.call('hire_worker', {
    id: 'w-desk',
    positionId: 'p-desk',
    kind: 'ai',
    identityContent: 'x',
    grants: [],
  });
});
afterAll(() => daemon.close());

describe.each(clients)('%s', (_name, connect) => {
  const told = async (workerId: string) => {
    const client = await connect(`${daemon.url}/workers/${workerId}/mcp`, daemon.token(workerId));
    await client.close();
    expect(Buffer.byteLength(client.instructions ?? '')).toBeLessThan(1_024);
    return client.instructions ?? '';
  };

  test('is told who it acts as and its place in the org', async () => {
    const desk = await told('w-desk');
    expect(desk).toContain('You act as w-desk, an AI Worker');
    expect(desk).toContain('Your Position: p-desk (Support Desk), reporting to w-boss.');
    expect(await told('w-boss')).toContain('p-boss (boss), reporting to w-owner.');
    const owner = await told('w-owner');
    expect(owner).toContain('You act as w-owner, a person');
    expect(owner).toMatch(/p-root \(Owner\)\./);
  });

  test('is told how Streams work and what held means', async () => {
    const desk = await told('w-desk');
    expect(desk).toMatch(/An Event published on a Stream wakes the AI Workers that listen to it, except its publisher/);
    expect(desk).toMatch(/"held" means it waits for a person/);
  });

  test('is told it in less than 1 KB, however long the names are', async () => {
    const long = (letter: string) => letter.repeat(45);
    const index = clients.findIndex(([name]) => name === _name);
    const seats = ['a', 'b', 'c'].map((letter) => `p-${index}${long(letter)}`);
    await daemon.call('create_role', { id: `r-${index}${long('r')}`, content: `# Role: ${'Größe 🌊 '.repeat(30)}` });
    for (const [at, id] of seats.entries())
      await daemon.call('create_position', {
        id,
        roleId: `r-${index}${long('r')}`,
        parentId: seats[at - 1] ?? 'p-root',
      });
    const id = `w-${index}${long('w')}`;
    await daemon.call('hire_worker', { id, positionId: seats[2], kind: 'ai', identityContent: 'x', grants: [] });
    await daemon.call('move_worker', { workerId: id, positions: seats });
    const text = await told(id);
    expect(text).toContain(`You act as ${id}`);
    expect(text).toContain('and 1 more');
    expect(text).not.toContain('\ufffd');
    await daemon.call('move_worker', { workerId: id, positions: [] });
    expect(await told(id)).toContain('You hold no Position now.');
  });
});
