import { expect, it } from 'vitest';
import { firstMissing, runDemo } from '../support/demo-run.ts';

it('A199: mlops-newsletter leads from one brief to angle, findings, draft and newsletter, also for early subscribers', {
  timeout: 180_000,
}, async () => {
  const { code, output } = await runDemo('mlops-newsletter');
  expect(code, output).toBe(0);
  expect(output).toContain('w-ravi says  s-angles is not there yet; I wait for it.');
  expect(output).toContain('w-jo says  s-findings is not there yet; I wait for it.');
  const issue = [
    's-angles   w-edith: angle: ',
    's-findings   w-ravi: findings: 5 about this',
    's-drafts   w-jo: draft: ',
    's-newsletter   w-edith: newsletter: ',
  ];
  expect(firstMissing(output, ['s-briefs   w-owner: ', ...issue, 's-briefs   w-owner: ', ...issue])).toBeUndefined();
  expect(output).toMatch(/Before: angle: monitoring, /);
  expect(output).toMatch(/Now: {4}angle: on-call, /);
});
