// What an empty org's page says is still missing, as it is now.
import { expect, test } from 'vitest';
import type { AgentCheck } from '../../src/domain/agent.ts';
import { openTestDaemon } from '../support/http.ts';

test('the checklist says whose account pays once the agent works, and follows it', async () => {
  let agent: AgentCheck = {
    ok: false,
    problem: 'Claude Code is not logged in for Workers.',
    fix: 'Run `helix-org login claude`.',
  };
  const daemon = await openTestDaemon({ checkAgent: async () => agent });
  const { token } = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' });
  const headers = { host: 'localhost', cookie: `helix_session=${token}` };
  const page = async () => (await daemon.app.inject({ url: '/ui/org', headers })).body;
  const checklist = async () => {
    return [
      ...(await page()).matchAll(
        /<li class="(is-\w+)"><strong>Account<\/strong>[\s\S]*?<span>([\s\S]*?)<\/span><\/li>/g,
      ),
    ].map(([, state, text]) => `${state}: ${text}`);
  };
  expect(await page()).toContain('<code>helix-org login claude</code>');
  expect(await checklist()).toEqual(['is-open: Known once the agent is found and logged in.']);
  agent = { ok: true, account: 'The API account of ANTHROPIC_API_KEY pays for runs, by use.' };
  expect(await checklist()).toEqual(['is-done: The API account of ANTHROPIC_API_KEY pays for runs, by use.']);
  await daemon.close();
});
