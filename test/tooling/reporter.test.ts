import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, repository, run } from './sandbox.ts';

async function vitest(
  files: Record<string, string>,
  { args = [], env = {} }: { args?: string[]; env?: NodeJS.ProcessEnv } = {},
) {
  const cwd = folder({ 'package.json': '{"type":"module"}', ...files });
  symlinkSync(join(repository, 'node_modules'), join(cwd, 'node_modules'));
  const reporters = ['--reporter=default', `--reporter=${join(repository, 'test/support/reporter.ts')}`];
  const script = join(repository, 'node_modules/vitest/vitest.mjs');
  const { code, stdout, stderr } = await run(process.execPath, [script, 'run', ...reporters, ...args], { cwd, env });
  return { code, stderr, stdout, lastLine: stdout.split('\n').at(-2), end: stdout.slice(-1) };
}

const it = (body: string) => `import { beforeAll, describe, expect, it } from 'vitest';\n${body}`;
const passing = it(`it('a', () => {}); it('b', () => {});`);
const skipping = it(`it('c', ({ skip }) => skip('no browser here')); it.todo('d'); it('e', () => {});`);

test('the count of a good run is the last line', async () => {
  expect(await vitest({ 'a.test.js': passing })).toMatchObject({ code: 0, lastLine: '2 passed, 0 failed', end: '\n' });
});

test('a failed test, a file that cannot be imported, a hook and a stray rejection each count as failed', async () => {
  const result = await vitest({
    'a.test.js': passing,
    'b.test.js': it(`it('c', () => expect(1).toBe(2));`),
    'c.test.js': `import './absent.js';`,
    'd.test.js': it(`describe('e', () => { beforeAll(() => { throw new Error('no'); }); it('e', () => {}); });`),
    'e.test.js': it(`it('f', async () => { Promise.reject(new Error('stray')); await new Promise(setImmediate); });`),
  });
  expect(result).toMatchObject({ code: 1, lastLine: '3 passed, 4 failed, 1 skipped' });
  expect(result.stdout).toContain('failed: b.test.js > c: expected 1 to be 2');
  expect(result.stdout).toContain("failed: c.test.js: Cannot find module './absent.js'");
  expect(result.stdout).toContain('failed: outside of any test: stray');
});

test('what passed only when it was tried again is named', async () => {
  const flaky = it(`let tries = 0; it('g', { retry: 1 }, () => expect((tries += 1)).toBe(2));`);
  const result = await vitest({ 'a.test.js': flaky });
  expect(result).toMatchObject({ code: 0, lastLine: '1 passed, 0 failed' });
  expect(result.stdout).toContain('passed only when tried again: a.test.js > g: expected 1 to be 2');
});

test('a run without a test ends with the line, and is a failure', async () => {
  expect(await vitest({})).toMatchObject({ code: 1, lastLine: '0 passed, 0 failed' });
});

test('skipped tests are named with their reason and counted', async () => {
  const result = await vitest({ 'a.test.js': skipping });
  expect(result).toMatchObject({ code: 0, lastLine: '1 passed, 0 failed, 2 skipped' });
  expect(result.stdout).toContain('skipped: a.test.js > c: no browser here\nskipped: a.test.js > d: no reason given\n');
});

test('CI accepts no skipped test', async () => {
  const result = await vitest({ 'a.test.js': skipping }, { env: { CI: 'true' } });
  expect(result).toMatchObject({ code: 1, lastLine: '1 passed, 0 failed, 2 skipped' });
  expect(result.stdout).toContain('CI accepts no skipped test');
});

test('what a name pattern leaves out was not skipped', async () => {
  const result = await vitest({ 'a.test.js': passing }, { args: ['-t', 'a$'], env: { CI: 'true' } });
  expect(result).toMatchObject({ code: 0, lastLine: '1 passed, 0 failed' });
});
