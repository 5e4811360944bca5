import { readdirSync, readFileSync } from 'node:fs';
import examples from '@octokit/webhooks-examples';
import { expect, it, test } from 'vitest';
import { commandsOf, eventsIn, runDemo } from './run-demo.ts';

it('A201: github: a signed delivery about a docs issue leads to a call of gh that adds docs; one about something else to none', {
  timeout: 180_000,
}, async () => {
  const { code, output, dataDir } = await runDemo(['github']);
  expect(code, output).toBe(0);
  const about = (subject: string) => eventsIn(dataDir, 's-github').filter(({ message }) => message.subject === subject);
  expect(about('Spelling error in the README file').length).toBeGreaterThan(0);
  expect(about('It crashes when the port is taken')).toHaveLength(1);
  const calls = commandsOf(dataDir, 'w-doc-engineer');
  expect(calls.filter((call) => call.includes('issue edit 1 ') && call.includes('--add-label docs'))).toHaveLength(1);
  expect(calls.filter((call) => / 7 /.test(call))).toEqual([]);
  expect(output).toContain('✓ gh was not called');
});

it('fails, and says what was missing, when the issue is not labelled', { timeout: 120_000 }, async () => {
  const { code, output } = await runDemo(['github', '--agent-command', '["true"]', '--patience', '6']);
  expect(code).toBe(1);
  expect(output).toContain('The demo failed: waited 6 s in vain until the issue has the label docs');
});

test.each(['github', 'github-engineer'])('the payloads of %s are as they were recorded', (demo) => {
  const folder = new URL(`../../demos/${demo}/payloads/`, import.meta.url);
  const recorded = (examples as unknown as { name: string; examples: object[] }[]).map(({ name, examples: all }) => ({
    name,
    texts: new Set(all.map((one) => JSON.stringify(one))),
  }));
  for (const file of readdirSync(folder)) {
    const [event] = file.split('.');
    const text = JSON.stringify(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
    expect(recorded.find(({ name }) => name === event)?.texts.has(text), file).toBe(true);
  }
});
