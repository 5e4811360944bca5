// The Inspector's command line: a client that is not ours, on the 2025 protocol.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

const inspector = fileURLToPath(new URL('./node_modules/.bin/mcp-inspector', import.meta.url));

let daemon: TestDaemon;
const home = mkdtempSync(join(tmpdir(), 'helix-inspector-'));

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-ann', { grants: ['publish', 'read_events'] });
  await daemon.call('create_stream', { id: 's-talk', name: 'Talk' });
});
afterAll(async () => {
  await daemon.close();
  rmSync(home, { recursive: true });
});

type Ran = { code: number | null; stdout: string; stderr: string };

function inspect(workerId: string, method: string, ...args: string[]): Promise<Ran> {
  const header = `Authorization: Bearer ${daemon.token(workerId)}`;
  const url = `${daemon.url}/workers/${workerId}/mcp`;
  const child = spawn(
    process.execPath,
    [inspector, '--cli', url, '--transport', 'http', '--method', method, ...args, '--header', header],
    { env: { PATH: process.env.PATH, HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

const call = (tool: string, ...pairs: string[]) =>
  inspect('w-ann', 'tools/call', '--tool-name', tool, ...pairs.flatMap((pair) => ['--tool-arg', pair]));

test('lists what the Worker holds, and finds no schema that clients stumble over', async () => {
  const ann = await inspect('w-ann', 'tools/list', '--strict');
  expect(ann).toMatchObject({ code: 0 });
  expect(JSON.parse(ann.stdout).tools.map(({ name }: { name: string }) => name)).toEqual(['publish', 'read_events']);
  expect(await inspect('w-owner', 'tools/list', '--strict')).toMatchObject({ code: 0 });
});

test('calls a tool', async () => {
  const { code, stdout } = await call('publish', 'streamId=s-talk', 'body=from the Inspector');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ structuredContent: { streamId: 's-talk' } });
  expect(daemon.bodies('s-talk')).toEqual(['from the Inspector']);
});

test('reads prompts and resources', async () => {
  expect((await inspect('w-owner', 'prompts/list')).stdout).toContain('"role"');
  const prompt = await inspect('w-owner', 'prompts/get', '--prompt-name', 'role', '--prompt-args', 'hint=cto');
  expect(prompt.stdout).toContain('The job is: \\"cto\\"');
  expect((await inspect('w-ann', 'resources/list')).stdout).toContain('helix://streams/s-talk');
  const stream = await inspect('w-ann', 'resources/read', '--uri', 'helix://streams/s-talk');
  expect(stream.stdout).toContain('from the Inspector');
});

test('is refused a tool that was revoked, and one that was never granted', async () => {
  await daemon.call('revoke_tool', { workerId: 'w-ann', toolName: 'publish' });
  for (const tool of ['publish', 'create_role']) {
    const { stdout, stderr } = await call(tool, 'streamId=s-talk', 'body=x', 'content=x');
    expect(`${stdout}${stderr}`).toMatch(new RegExp(`does not hold ${tool}|not found|[Uu]nknown tool`));
  }
  expect(daemon.bodies('s-talk')).toEqual(['from the Inspector']);
});
