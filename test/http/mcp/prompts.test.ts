import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';
import { clients } from '../../support/mcp-clients.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-ann', { grants: ['publish'] });
});
afterAll(() => daemon.close());

const endpoint = (workerId: string) => `${daemon.url}/workers/${workerId}/mcp`;

describe.each(clients)('%s', (_name, connect) => {
  test('A169: lists help and role as the owner, help alone without create_role', async () => {
    const owner = await connect(endpoint('w-owner'), daemon.token());
    expect(await owner.prompts()).toMatchObject([
      { name: 'help', title: 'Available slash commands' },
      { name: 'role', title: 'Draft a Role from a title', arguments: [{ name: 'hint', required: false }] },
    ]);
    await owner.close();
    const ann = await connect(endpoint('w-ann'), daemon.token('w-ann'));
    expect((await ann.prompts()).map(({ name }) => name)).toEqual(['help']);
    await ann.close();
  });

  test('A170, A171: gets their texts, and −32602 for one it does not see', async () => {
    const owner = await connect(endpoint('w-owner'), daemon.token());
    expect(await owner.prompt('help')).toContain('- **/role**: ');
    expect(await owner.prompt('role', { hint: 'cto' })).toContain('"cto"');
    await owner.close();
    const ann = await connect(endpoint('w-ann'), daemon.token('w-ann'));
    expect(await ann.prompt('help')).not.toContain('/role');
    await expect(ann.prompt('role')).rejects.toMatchObject({ code: -32602, message: /unknown prompt "role"/ });
    await ann.close();
  });

  test('completes ids of the arguments of prompts and of resource templates', async () => {
    const owner = await connect(endpoint('w-owner'), daemon.token());
    const prompt = { type: 'ref/prompt', name: 'role' } as const;
    expect(await owner.complete(prompt, 'hint', 'r-an')).toMatchObject({ values: ['r-ann'], total: 1 });
    expect((await owner.complete(prompt, 'hint', '')).values).toEqual(expect.arrayContaining(['r-ann', 'r-owner']));
    expect((await owner.complete(prompt, 'nothing', '')).values).toEqual([]);
    const streams = { type: 'ref/resource', uri: 'helix://streams/{streamId}' } as const;
    expect((await owner.complete(streams, 'streamId', 'NOTI')).values).toEqual(['s-notices']);
    await owner.close();
    const ann = await connect(endpoint('w-ann'), daemon.token('w-ann'));
    expect((await ann.complete(prompt, 'hint', 'r-')).values).toEqual([]);
    expect((await ann.complete(streams, 'streamId', 's-')).values).toEqual([]);
    await ann.close();
  });
});

test('a completion gives a hundred at most, and says that there are more', async () => {
  for (let index = 0; index < 120; index++)
    await daemon.core.journal.commit('w-owner', { type: 'CreateRole', roleId: `r-many-${index}`, content: '# Many' });
  const [, connect] = clients[2]!;
  const owner = await connect(endpoint('w-owner'), daemon.token());
  const found = await owner.complete({ type: 'ref/resource', uri: 'helix://roles/{roleId}' }, 'roleId', 'r-many');
  expect(found).toMatchObject({ total: 120, hasMore: true });
  expect(found.values).toHaveLength(100);
  await owner.close();
});
