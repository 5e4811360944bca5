import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { promptCatalog } from '../../src/prompts/catalog.ts';
import { definePrompt } from '../../src/prompts/define-prompt.ts';
import { createPrompts } from '../../src/prompts/prompts.ts';
import { toolNames } from '../../src/tools/catalog.ts';

const folder = fileURLToPath(new URL('../../templates/prompts/', import.meta.url));
const text = (name: string) => readFileSync(`${folder}${name}`, 'utf8');
const org = (grants: Record<string, string[]>) => ({
  org: {
    grants: new Map(
      Object.entries(grants).map(([workerId, tools]) => [workerId, new Map(tools.map((tool) => [tool, `g-${tool}`]))]),
    ),
  },
});
const journal = org({ 'w-owner': ['create_role', 'publish'], 'w-ann': ['publish'] });
const prompts = createPrompts(promptCatalog, { journal, text });
const namesFor = (workerId: string) => prompts.visibleTo(workerId).map(({ name }) => name);

test('A169: the owner sees help and role, a Worker without create_role only help', () => {
  expect(namesFor('w-owner')).toEqual(['help', 'role']);
  expect(namesFor('w-ann')).toEqual(['help']);
  expect(namesFor('w-nobody')).toEqual(['help']);
});

describe('help', () => {
  const more = [
    definePrompt({ name: 'zeal', title: 'Z', description: 'Comes last.', arguments: [], render: () => 'z' }),
    ...promptCatalog,
    definePrompt({ name: 'ask', title: 'A', description: 'Comes first.', arguments: [], render: () => 'a' }),
  ];

  it('A170: lists the caller’s prompts in alphabetical order, a new one without another change', () => {
    const said = createPrompts(more, { journal, text }).render('w-owner', 'help').text;
    const listed = [...said.matchAll(/^- \*\*\/(\w+)\*\*: (.+)$/gm)].map((match) => match[1]);
    expect(listed).toEqual(['ask', 'help', 'role', 'zeal']);
    expect(said).toContain('- **/ask**: Comes first.');
    expect(said).toMatch(/exactly this list/);
  });

  it('A170: leaves out what the caller may not use', () => {
    const said = createPrompts(more, { journal, text }).render('w-ann', 'help').text;
    expect(said).not.toContain('/role');
    expect(said).toContain('/zeal');
  });
});

describe('role', () => {
  const render = (args: Record<string, string> = {}) => prompts.render('w-owner', 'role', args).text;

  it('A171: with a hint names it and asks for a draft without an interview', () => {
    expect(render({ hint: ' cto ' })).toContain('The job is: "cto".');
    expect(render({ hint: 'cto' })).toMatch(/Draft it straight away, without an interview/);
  });

  it('A171: with a blank hint, or none, asks for nothing of that', () => {
    for (const args of [{}, { hint: '' }, { hint: ' \n\t' }]) {
      expect(render(args)).not.toMatch(/The job is/);
      expect(render(args)).toBe(text('role.md').trimEnd());
    }
  });

  it('A171: is refused to who may not create Roles, and an unknown prompt by name', () => {
    expect(() => prompts.render('w-ann', 'role')).toThrow(/unknown prompt "role"/);
    expect(() => prompts.render('w-owner', 'rol')).toThrow('unknown prompt "rol"; did you mean role?');
  });
});

describe('the playbook for Roles', () => {
  const playbook = text('role.md');

  it('names only tools that exist', () => {
    const quoted = [...playbook.matchAll(/`([a-z]+(?:_[a-z]+)*)`/g)].map((match) => match[1] ?? '');
    const words = new Set(['ai', 'streams', 'grants']);
    expect(quoted.filter((word) => !toolNames.has(word) && !words.has(word))).toEqual([]);
    expect(quoted).toContain('create_role');
  });

  it.each([
    '# Role: <Title>',
    'mission of one paragraph',
    '## Tools (MCP)',
    '## Streams',
    '## Triggers',
    'internal note only',
    'On anything else, stay quiet.',
    '## Constraints',
    'name the trigger in one line',
    'Do not change your own Role.',
    '## Files',
    '(ASSUMED: …)',
    'save it at once, without asking',
    'r-<title-in-kebab-case>',
    'ask ONE question',
    '`p-root`',
    'w-<firstname>',
    '`invite_workers`',
  ])('requires %s', (part) => {
    expect(playbook).toContain(part);
  });

  it('says that subscribe cannot subscribe the new Worker', () => {
    expect(playbook).toMatch(/`subscribe` is for yourself only/);
    expect(playbook).toMatch(/in `streams` every Stream the Role listens to/);
  });
});

test('a required argument that is missing is asked for by name', () => {
  const strict = definePrompt({
    name: 'brief',
    title: 'Brief',
    description: 'x',
    arguments: [{ name: 'about', description: 'What it is about.', required: true }],
    render: ({ about }) => `About ${about}.`,
  });
  const one = createPrompts([strict], { journal, text });
  expect(() => one.render('w-ann', 'brief', { about: ' ' })).toThrow('/brief needs about: What it is about.');
  expect(one.render('w-ann', 'brief', { about: 'us' }).text).toBe('About us.');
});
