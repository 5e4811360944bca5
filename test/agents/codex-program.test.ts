import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { nativeCodex } from '../../src/agents/codex-program.ts';
import { createFolder } from './play.ts';

const TARGET: Record<string, string> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
};
const host = `${process.platform}-${process.arch}`;

/** A Codex as npm installs it. @param about what it says of its own order */
function installed(about: string): { script: string; native: string } {
  const modules = join(createFolder(), 'node_modules', '@openai');
  const whole = join(modules, `codex-${host}`, 'vendor', TARGET[host] ?? '');
  const files: [string, string][] = [
    [join(modules, 'codex', 'bin', 'codex.js'), '#!/usr/bin/env node\n'],
    [join(modules, `codex-${host}`, 'package.json'), '{}'],
    [join(whole, 'codex-package.json'), about],
    [join(whole, 'bin', 'codex'), 'native'],
  ];
  for (const [file, content] of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o755 });
  }
  return { script: join(modules, 'codex', 'bin', 'codex.js'), native: join(whole, 'bin', 'codex') };
}

test('finds the native program behind npm’s script, also through a link', () => {
  const { script, native } = installed('{"layoutVersion":1,"entrypoint":"bin/codex"}');
  expect(nativeCodex(script)).toBe(native);
  const link = join(createFolder(), 'codex');
  symlinkSync(script, link);
  expect(nativeCodex(link)).toBe(native);
});

test.each([
  ['whose order is another one', '{"layoutVersion":2,"entrypoint":"bin/codex"}'],
  ['that does not say where it is', '{"layoutVersion":1}'],
  ['whose program is missing', '{"layoutVersion":1,"entrypoint":"bin/other"}'],
  ['that cannot be read', 'no JSON'],
])('leaves the script alone before a package %s', (_, about) => {
  const { script } = installed(about);
  expect(nativeCodex(script)).toBe(script);
});

test('leaves every other program alone', () => {
  const program = join(createFolder(), 'codex');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  expect(nativeCodex(program)).toBe(program);
  expect(nativeCodex('/nonexistent/codex')).toBe('/nonexistent/codex');
});
