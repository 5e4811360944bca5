import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));

function demo(...args: string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  let output = '';
  const child = spawn(process.execPath, [launcher, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, output: () => output, ended };
}

it('A197: getting-started shows hello echoed, the Role edited live, a loop stopped and a crash survived', {
  timeout: 120_000,
}, async () => {
  const { output, ended } = demo();
  expect(await ended, output()).toBe(0);
  for (const line of [
    's-general   w-echo: echo: hello',
    's-general   w-echo: loud: HELLO',
    'notice   Loop stopped on s-pong',
    'w-echo attempt 2: a previous run was cut off',
    '0 problems',
  ]) {
    expect(output()).toContain(line);
  }
  const summary = output().slice(output().indexOf('What you saw'));
  expect(summary).toContain('w-echo  echo: hello');
  expect(summary).toContain('w-echo  loud: HELLO');
});

it('stays on request, with a link that signs the owner in, until it is interrupted', { timeout: 120_000 }, async () => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'helix-demo-')), 'data');
  const { child, output, ended } = demo('webhook', '--stay', '--data-dir', dataDir);
  while (!/Open http\S+/.test(output()) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const link = /Open (http\S+)/.exec(output())?.[1] ?? '';
  const page = await fetch(link);
  expect(page.status, output()).toBe(200);
  expect(await page.text()).toContain('<form');
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(existsSync(join(dataDir, 'org.db'))).toBe(true);
  rmSync(dataDir, { recursive: true });
});

it('fails, and says what was missing, when the agent does nothing', { timeout: 120_000 }, async () => {
  const { output, ended } = demo('--agent-command', '["true"]', '--patience', '6');
  expect(await ended).toBe(1);
  expect(output()).toContain('The demo failed: waited 6 s in vain until w-echo answers');
});

it('names the demos there are', async () => {
  const { output, ended } = demo('--list');
  expect(await ended).toBe(0);
  for (const name of ['getting-started', 'webhook', 'email', 'github', 'github-engineer'])
    expect(output()).toMatch(new RegExp(`^${name} +\\S`, 'm'));
});

it('says which demos there are when it is asked for another', async () => {
  const { output, ended } = demo('getting-startd');
  expect(await ended).toBe(1);
  expect(output()).toContain('did you mean getting-started?');
});
