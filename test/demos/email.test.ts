import { expect, it } from 'vitest';
import { eventsIn, runDemo, runsOf } from './run-demo.ts';

it('A200: email: four hops, three mails, one thread id and no echo, though each mail comes in twice', {
  timeout: 120_000,
}, async () => {
  const { code, output, dataDir } = await runDemo(['email']);
  expect(code, output).toBe(0);
  const mails = eventsIn(dataDir).filter(({ stream }) => stream === 's-support' || stream === 's-engineer');
  expect(mails.map(({ stream, actor }) => `${stream} ${actor.replace(/^transport:.*/, 'outside')}`)).toEqual([
    's-support outside',
    's-support w-sam',
    's-engineer outside',
    's-engineer w-lee',
    's-support outside',
    's-support w-sam',
  ]);
  const threads = mails.map(({ message }) => message.thread_id ?? message.message_id);
  expect(new Set(threads).size).toBe(1);
  expect(mails[3]?.message.subject).toMatch(/^\[eng\] Re: /);
  expect(mails[5]?.message.to).toEqual(['ada@kunde.example']);
  expect(output.match(/Postmark takes a mail/g)).toHaveLength(3);
  expect(output.match(/once more {2}→ {2}204/g)).toHaveLength(3);
  // To be hired, the question, the answer; and to be hired, the question.
  expect([runsOf(dataDir, 'w-sam'), runsOf(dataDir, 'w-lee')]).toEqual([3, 2]);
});

it('fails, and says what was missing, when nobody asks the engineer', { timeout: 120_000 }, async () => {
  const { code, output } = await runDemo(['email', '--agent-command', '["true"]', '--patience', '4']);
  expect(code).toBe(1);
  expect(output).toContain('The demo failed: waited 4 s in vain until w-sam asks the engineer');
});

it('refuses to run live without what it needs, and names all of it', async () => {
  const { PATH } = process.env;
  const { code, output } = await runDemo(['email', '--live'], { PATH, HELIX_ORG_CLAUDE_BIN: '/nowhere/claude' });
  expect(code).toBe(1);
  for (const line of [
    '- claude.bin names "/nowhere/claude": no such program.',
    '- Claude Code is not logged in for Workers.',
    '- For a demo, the environment logs it in: CLAUDE_CODE_OAUTH_TOKEN',
    '- HELIX_ORG_TRANSPORT_POSTMARK is not set: your Postmark server',
    '- HELIX_DEMO_CUSTOMER is not set: ',
    '- --public-url is not given: ',
  ])
    expect(output).toContain(line);
});
