// The import table of docs/architecture.md, enforced: who may import whom, and what a source file may look like.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const MAY_IMPORT: Record<string, string[]> = {
  domain: [],
  store: ['domain'],
  transports: ['domain'],
  agents: ['domain'],
  tools: ['domain', 'store'],
  dispatch: ['domain', 'store'],
  prompts: ['domain', 'store'],
  http: ['tools', 'prompts', 'dispatch', 'transports', 'store', 'domain'],
  cli: ['domain', 'store', 'transports', 'agents', 'tools', 'dispatch', 'prompts', 'http'],
};
const CODE = ['src', 'test', 'demos', 'bench', 'scripts', 'bin'];
/** As ES modules its parts cost every start 0.5 s and 130 MB, so one file requires them for all. */
const DRIZZLE_PARTS = /^drizzle-orm\b/;
const DRIZZLE_FILE = 'src/store/drizzle.ts';
const OUTSIDE = '../../a.js';
const LINES_MAX = 250;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.[a-z]+$/;
const SAYS_NOTHING = /^(index|utils?|helpers?|common|types|interfaces|constants)\.ts$/;
const IMPORT =
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\b(?:import|require)\(\s*['"]([^'"]+)['"]/gm;

function problems(root: string): string[] {
  const folders = CODE.filter((folder) => existsSync(join(root, folder)));
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  );
  const code = files.filter((file) => /\.(ts|mjs|js)$/.test(file) && !file.includes('/node_modules/')).sort();
  return code.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
    const found = imports.flatMap((name) => importProblem(root, file, name) ?? []);
    if (!KEBAB_CASE.test(basename(file))) found.push('is not named in kebab-case');
    if (file.startsWith('src/')) found.push(...sourceProblems(file, text));
    return found.map((problem) => `${file} ${problem}`);
  });
}

function sourceProblems(file: string, text: string): string[] {
  const lines = text.trimEnd().split('\n').length;
  return [
    ...(MAY_IMPORT[folderOf(file)] ? [] : ['lies in no folder of the table']),
    ...(SAYS_NOTHING.test(basename(file)) ? ['has a name that says nothing'] : []),
    ...(lines > LINES_MAX ? [`has ${lines} lines, more than ${LINES_MAX}`] : []),
  ];
}

function importProblem(root: string, file: string, name: string): string | undefined {
  const from = folderOf(file);
  const isPath = /^[./]/.test(name);
  if (!isPath && from === 'domain' && name !== 'zod') return `imports ${name}; domain is pure`;
  if (!isPath)
    return from && DRIZZLE_PARTS.test(name) && file !== DRIZZLE_FILE
      ? `imports ${name}, not through ${DRIZZLE_FILE}`
      : undefined;
  const target = relative(root, resolve(root, dirname(file), name));
  if (target.startsWith('..')) return `imports ${name}, outside of the repository`;
  if (!file.startsWith('src/')) return undefined;
  const to = folderOf(target);
  if (!target.startsWith('src/')) return `imports ${name}, outside of src`;
  return from === to || MAY_IMPORT[from]?.includes(to) ? undefined : `imports ${name}; ${from} may not import ${to}`;
}

/** The folder below src; '' for everything else. */
function folderOf(file: string): string {
  const parts = file.split('/');
  return parts[0] === 'src' && parts.length > 2 ? (parts[1] ?? '') : '';
}

test('the sources keep to the table', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  expect(existsSync(join(root, 'src/domain'))).toBe(true);
  expect(problems(root)).toEqual([]);
});

describe('the checker', () => {
  const root = mkdtempSync(join(tmpdir(), 'helix-architecture-'));
  afterAll(() => rmSync(root, { recursive: true }));

  function problemsOf(file: string, text: string): string[] {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    const found = problems(root);
    rmSync(join(root, file));
    return found;
  }

  test.each([
    ['src/domain/role.ts', "import { z } from 'zod';\nimport { a } from './ids.ts';"],
    ['src/http/app.ts', "import type {\n  A,\n} from '../dispatch/courier.ts';\nexport const from = '../cli/main.ts';"],
    ['src/cli/main.ts', "const { serve } = await import('./serve.ts');\nimport fs from 'node:fs';"],
    ['test/store/journal.test.ts', "import { journal } from '../../src/store/journal.ts';"],
    ['src/store/journal.ts', 'x\n'.repeat(LINES_MAX)],
  ])('accepts %s as it should be', (file, text) => {
    expect(problemsOf(file, text)).toEqual([]);
  });

  test.each([
    ['src/domain/role.ts', "import fs from 'node:fs';", 'pure'],
    ['src/domain/role.ts', "export type { A } from 'fastify';", 'pure'],
    ['src/domain/role.ts', "import { a } from '../store/journal.ts';", 'domain may not import store'],
    ['src/store/journal.ts', "import {\n  a,\n  b,\n} from '../tools/publish.ts';", 'store may not import tools'],
    ['src/agents/claude.ts', "import '../dispatch/courier.ts';", 'agents may not import dispatch'],
    ['src/tools/publish.ts', "await import('../prompts/role.ts');", 'tools may not import prompts'],
    ['src/store/queries.ts', "import { eq } from 'drizzle-orm';", 'not through src/store/drizzle.ts'],
    ['src/http/app.ts', "import { a } from '../cli/main.ts';", 'http may not import cli'],
    ['src/cli/main.ts', "import { a } from '../../test/support/given.ts';", 'outside of src'],
    ['src/cli/main.ts', "import { a } from '../../../shared/a.ts';", 'outside of the repository'],
    ['demos/echo/script.ts', "import a from '../../../shared/a.ts';", 'outside of the repository'],
    ['bin/start.mjs', "import a from '/opt/a.mjs';", 'outside of the repository'],
    ['scripts/run.mjs', `require('${OUTSIDE}');`, 'outside of the repository'],
    ['src/manager/a.ts', '', 'no folder of the table'],
    ['src/main.ts', '', 'no folder of the table'],
    ['src/tools/index.ts', '', 'says nothing'],
    ['src/tools/createRole.ts', '', 'kebab-case'],
    ['test/create_role.test.ts', '', 'kebab-case'],
    ['src/store/journal.ts', 'x\n'.repeat(LINES_MAX + 1), 'more than 250'],
  ])('names what is wrong in %s', (file, text, problem) => {
    expect(problemsOf(file, text)).toEqual([expect.stringContaining(problem)]);
  });
});
