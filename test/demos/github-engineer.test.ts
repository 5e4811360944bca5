import { expect, it } from 'vitest';
import { commandsOf, eventsIn, runDemo } from './run-demo.ts';

it('A202: github-engineer: opened → In Progress → pull request → In Review; merged → Done; never a merge', {
  timeout: 240_000,
}, async () => {
  const { code, output, dataDir } = await runDemo(['github-engineer']);
  expect(code, output).toBe(0);
  for (const line of [
    'the card went Todo → In Progress → In Review',
    'the pull request closes the issue when it is merged',
    'its commits name the activation they were made in',
    'the Worker never merged',
  ])
    expect(output).toContain(`✓ ${line}`);
  const commands = commandsOf(dataDir, 'w-software-engineer');
  const columns = commands.flatMap((command) => [
    ...command.matchAll(/^gh project item-edit --id card-(\d+) .*--single-select-option-id option-([a-z-]+)$/g),
  ]);
  expect(columns.map(([, card, column]) => `${card} ${column}`)).toEqual([
    '1 in-progress',
    '1 in-review',
    '1 done',
    '5 in-progress',
    '5 in-review',
    '5 todo',
  ]);
  expect(commands.filter((command) => /\bmerge\b/.test(command))).toEqual([]);
  expect(eventsIn(dataDir, 's-dm-w-owner-w-software-engineer')).toHaveLength(1);
});

it('fails, and says what was missing, when nobody takes the issue', { timeout: 120_000 }, async () => {
  const { code, output } = await runDemo(['github-engineer', '--agent-command', '["true"]', '--patience', '6']);
  expect(code).toBe(1);
  expect(output).toContain('The demo failed: waited 6 s in vain until there is a pull request');
});
