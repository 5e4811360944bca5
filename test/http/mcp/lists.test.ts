import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { catalog } from '../../../src/tools/catalog.ts';
import { defineTool, type Tool } from '../../../src/tools/define-tool.ts';
import { inputSchema, outputSchema } from '../../../src/tools/tool-schema.ts';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';
import { clients, connectModern, rpc } from '../../support/mcp-clients.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-echo', { grants: ['subscribe', 'publish'] });
});
afterAll(() => daemon.close());

const endpoint = (workerId: string) => `${daemon.url}/workers/${workerId}/mcp`;
const ownersClient = () => connectModern(endpoint('w-owner'), daemon.token());

const listed = async (workerId: string): Promise<string> =>
  JSON.stringify((await rpc(endpoint(workerId), daemon.token(workerId), 'tools/list')).result);

test('the list of everything has at most 40 KB, that of two tools 2 KB, output schemas included', async () => {
  const all = await listed('w-owner');
  expect(JSON.parse(all).tools).toHaveLength(catalog.length);
  expect(Buffer.byteLength(all)).toBeLessThanOrEqual(40 * 1024);
  const two = await listed('w-echo');
  expect(JSON.parse(two).tools).toHaveLength(2);
  expect(Buffer.byteLength(two)).toBeLessThanOrEqual(2 * 1024);
});

test('A48: the whole list can be turned into JSON, and no schema has what clients stumble over', async () => {
  const client = await ownersClient();
  const tools = await client.tools();
  expect(JSON.parse(JSON.stringify(tools))).toEqual(tools);
  for (const { name, inputSchema: schema } of tools) {
    const text = JSON.stringify(schema);
    for (const stumble of ['$schema', '"null"', '"type":[', '"additionalProperties":false', '$ref', '9007199254740991'])
      expect([name, text]).not.toEqual([name, expect.stringContaining(stumble)]);
  }
  await client.close();
});

test('A47: hire_worker advertises kind as one of human and ai', async () => {
  const client = await ownersClient();
  const tools = await client.tools();
  expect(tools.find(({ name }) => name === 'hire_worker')?.inputSchema).toMatchObject({
    properties: { kind: { type: 'string', enum: ['human', 'ai'] } },
  });
  await client.close();
});

test('A47: what a tool advertises as oneOf stays oneOf', () => {
  const choice = [
    { type: 'string', enum: ['local', 'webhook'] },
    { type: 'object', properties: { kind: { type: 'string', enum: ['local', 'webhook'] } }, required: ['kind'] },
  ];
  const tool = defineTool({
    name: 'x',
    title: 'x',
    description: 'x',
    input: z.object({
      transport: z.unknown().meta({ oneOf: choice }).describe('How.'),
      preprocessed: z.preprocess((value) => value, z.unknown().meta({ oneOf: choice })).optional(),
      discriminated: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('local') }),
        z.object({ kind: z.literal('webhook'), config: z.object({}).optional() }),
      ]),
    }),
    effect: 'reads',
    handler: async () => ({}),
  });
  expect(inputSchema(tool, ['local', 'webhook'])).toMatchObject({
    properties: {
      transport: { oneOf: choice, description: 'How.' },
      preprocessed: { oneOf: choice },
      discriminated: { oneOf: [{ type: 'object' }, { type: 'object' }] },
    },
  });
});

test('A42: a Grant of a tool that is no more, or of the agent itself, does not disturb the list', async () => {
  const narrowed = await openTestDaemon({
    door: (real) => ({ ...real, granted: (workerId) => real.granted(workerId).filter(({ name }) => name !== 'dm') }),
  });
  await narrowed.hire('w-ann', { grants: ['dm', 'publish', 'agent:Bash(gh *)'] });
  expect([...(narrowed.core.journal.org.grants.get('w-ann')?.keys() ?? [])]).toContain('dm');
  const client = await connectModern(`${narrowed.url}/workers/w-ann/mcp`, narrowed.token('w-ann'));
  expect((await client.tools()).map(({ name }) => name)).toEqual(['publish']);
  await client.close();
  await narrowed.close();
});

describe.each(clients)('%s', (_name, connect) => {
  test('is shown what a tool answers with, where that says more than ids', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    const tools = await client.tools();
    const schemaOf = (tool: string) => tools.find(({ name }) => name === tool)?.outputSchema;
    expect(schemaOf('read_events')).toMatchObject({
      type: 'object',
      properties: { events: { type: 'array', items: { properties: { body: { type: 'string' } } } } },
    });
    expect(schemaOf('delete_role')).toBeUndefined();
    expect(tools.filter(({ outputSchema: schema }) => schema !== undefined).length).toBeGreaterThan(25);
    await client.close();
  });
});

test('every tool of the catalog says what it answers with', () => {
  for (const tool of catalog) {
    expect([tool.name, outputSchema(tool)?.type]).toEqual([tool.name, 'object']);
    expect(outputSchema(tool)).toBe(outputSchema(tool));
  }
});

describe('pages', () => {
  const many: Tool[] = Array.from({ length: 250 }, (_, index) =>
    defineTool({
      name: `tool_${index}`,
      title: 'A tool',
      description: 'One of many.',
      input: z.object({}),
      effect: 'reads',
      handler: async () => ({}),
    }),
  );

  test('a long list comes in pages of 100, each tool once', async () => {
    const full = await openTestDaemon({ door: (real) => ({ ...real, granted: () => many }) });
    const client = await connectModern(`${full.url}/workers/w-owner/mcp`, full.token());
    // The client follows the cursors by itself.
    expect((await client.tools()).map(({ name }) => name)).toEqual(many.map(({ name }) => name));
    await client.close();
    await full.close();
  });

  test('resources come in pages too, and a cursor of no list is refused', async () => {
    const full = await openTestDaemon();
    for (let index = 0; index < 230; index++)
      await full.core.journal.commit('w-owner', { type: 'CreateRole', roleId: `r-${index}`, content: `# ${index}` });
    const list = (params: object) => rpc(`${full.url}/workers/w-owner/mcp`, full.token(), 'resources/list', params);
    const uris: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined; pages === 0 || cursor !== undefined; pages++) {
      const { result } = await list(cursor === undefined ? {} : { cursor });
      const { resources, nextCursor } = result as { resources: { uri: string }[]; nextCursor?: string };
      expect(resources.length).toBeLessThanOrEqual(100);
      uris.push(...resources.map(({ uri }) => uri));
      cursor = nextCursor;
    }
    expect(pages).toBe(3);
    expect(new Set(uris).size).toBe(uris.length);
    expect(uris.filter((uri) => uri.startsWith('helix://roles/'))).toHaveLength(231);
    expect(await list({ cursor: 'nowhere' })).toMatchObject({ error: { code: -32602 } });
    await full.close();
  });
});
