import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Segment } from '../../src/domain/agent.ts';
import { createPuppetAgent } from './example-agent.ts';
import { createFolder, createRun } from './play.ts';

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('docs/agents.md shows the example as it is here', () => {
  const code = text('example-agent.ts').replaceAll("'../../src/agents/", "'./").replaceAll("'../../src/", "'../");
  expect(text('../../docs/agents.md')).toContain(`\`\`\`ts\n${code}\`\`\`\n`);
});

async function puppet(...lines: object[]) {
  const bin = join(createFolder(), 'puppet');
  const print = lines.map((line) => `echo '${JSON.stringify(line)}'`).join('\n');
  writeFileSync(bin, `#!/bin/sh\ncat > prompt\necho "$@" "$PUPPET_MODEL" "$HELIX_WORKER_ID"\n${print}\n`);
  chmodSync(bin, 0o755);
  const segments: Segment[] = [];
  const run = createRun({
    agent: { model: 'm' },
    grants: ['Shell'],
    onSegment(segment) {
      segments.push(segment);
      return true;
    },
  });
  const agent = createPuppetAgent({ bin: () => bin });
  expect(await agent.check()).toEqual({ ok: true });
  return { result: await agent.run(run), bodies: segments.map(({ body }) => body), run };
}

test('the example plays a Worker', async () => {
  const { result, bodies, run } = await puppet(
    { say: 'hello' },
    { tool: 'publish', input: { body: 'hi' }, result: 'ok' },
    { tokens: 7 },
  );
  expect(bodies).toEqual([
    `--mcp ${run.mcp.url} --allow Shell m w-ada`,
    'assistant: hello',
    'tool_use publish: {"body":"hi"}',
    'tool_result: ok',
  ]);
  expect(result).toEqual({ outcome: 'done', exit: 'ok', usage: { outputTokens: 7 } });
  expect(readFileSync(join(run.folder, 'prompt'), 'utf8')).toBe('Hello.');
  expect((await puppet({ overLimit: true })).result).toMatchObject({ outcome: 'failed', agentFault: true });
  expect(await createPuppetAgent({ bin: () => 'no-such-puppet' }).check()).toMatchObject({ ok: false });
});
