import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalog } from '../../src/tools/catalog.ts';
import { inputSchema } from '../../src/tools/tool-schema.ts';
import { transports } from '../../src/transports/catalog.ts';
import { openTestDaemon } from '../support/http.ts';

const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 31));
const KINDS = [...transports.keys()];
const folder = fileURLToPath(new URL('../../src/tools', import.meta.url));

describe.each(catalog.map((tool) => [tool.name, tool] as const))('%s', (name, tool) => {
  it('lies in a file of its name', () => {
    expect(existsSync(`${folder}/${name.replaceAll('_', '-')}.ts`)).toBe(true);
  });

  it('is described in one to three sentences', () => {
    const sentences = tool.description.match(/[.!?](\s|$)/g) ?? [];
    expect(sentences.length).toBeGreaterThanOrEqual(1);
    expect(sentences.length).toBeLessThanOrEqual(3);
    expect(tool.title).not.toBe('');
  });

  it('A48: has a schema that serialises, with every argument described (UI bug 11)', () => {
    const schema = inputSchema(tool, KINDS);
    expect(JSON.parse(JSON.stringify(schema))).toMatchObject({ type: 'object' });
    for (const [argument, property] of Object.entries(schema.properties ?? {}))
      expect(property.description, argument).toBeTruthy();
    expect(JSON.stringify(schema)).not.toContain('"null"');
  });
});

it('lists every tool file once', () => {
  const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, '').replaceAll('-', '_'));
  const tools = new Set(catalog.map(({ name }) => name));
  expect(catalog).toHaveLength(tools.size);
  expect(names.filter((name) => tools.has(name))).toHaveLength(tools.size);
});

it('keeps the list short: all of it in 40 KB, two tools in 2 KB', () => {
  const listed = (tools: typeof catalog) =>
    JSON.stringify(
      tools.map((tool) => ({
        name: tool.name,
        title: tool.title,
        description: tool.description,
        inputSchema: inputSchema(tool, KINDS),
      })),
    ).length;
  expect(listed(catalog)).toBeLessThan(40_000);
  expect(listed(catalog.filter(({ name }) => name === 'publish' || name === 'subscribe'))).toBeLessThan(2_048);
});

it('A47: shows which kinds of Worker and of transport there are', () => {
  const schemaOf = (name: string) => inputSchema(catalog.find((tool) => tool.name === name)!, KINDS).properties ?? {};
  expect(schemaOf('hire_worker').kind).toMatchObject({ enum: ['human', 'ai'] });
  for (const name of ['create_stream', 'update_stream']) {
    expect(schemaOf(name).transport).toMatchObject({
      oneOf: [
        { type: 'string', enum: KINDS },
        { type: 'object', properties: { kind: { type: 'string', enum: KINDS }, config: { type: 'object' } } },
      ],
    });
  }
});

it(`random wrong arguments are refused and record nothing (seed ${seed})`, { timeout: 120_000 }, async () => {
  const daemon = await openTestDaemon();
  const junk = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '../x',
      'w-owner',
      's-notices',
      'r-owner',
      'p-root',
      'null',
      '[]',
      '{}',
      '\u0000',
      'w-nobody',
      's-nothing',
      'e-x',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.integer(),
    fc.constant(null),
    fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  );
  for (const tool of catalog) {
    const names = Object.keys(inputSchema(tool, KINDS).properties ?? {});
    const args = fc.record(Object.fromEntries(names.map((name) => [name, junk])), { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(args, async (given) => {
        const before = daemon.core.journal.lastSeq;
        const outcome = await daemon.door.call(
          { workerId: 'w-owner', via: 'mcp', signal: AbortSignal.abort() },
          tool.name,
          given,
        );
        expect(outcome.kind).not.toBe('unknown');
        if (outcome.kind === 'ok') return;
        expect(outcome).toMatchObject({ kind: 'refused', message: expect.not.stringContaining('Internal error') });
        expect(daemon.core.journal.lastSeq).toBe(before);
      }),
      { seed, numRuns: 60 },
    );
  }
  await daemon.close();
});
