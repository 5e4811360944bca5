import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommand, wholePaths } from '../../src/cli/agent-command.ts';
import { temporaryDirectory } from '../support/daemon.ts';

test.each([
  ['["node", "a b.mjs"]', ['node', 'a b.mjs']],
  ['node agent.mjs --fast', ['node', 'agent.mjs', '--fast']],
  ['  sh -c \'echo "hi" $HOME\'  ', ['sh', '-c', 'echo "hi" $HOME']],
  ['say "a \\"b\\" c" d\\ e', ['say', 'a "b" c', 'd e']],
  ['one\'\'two ""', ['onetwo', '']],
])('%s is %j', (text, words) => {
  expect(parseCommand(text)).toEqual(words);
});

test.each(['', '  ', '[]', '[1]', '["a"', "a 'b", 'a "b', 'a \\'])('%j is no command', (text) => {
  expect(() => parseCommand(text)).toThrow(/agent command/);
});

test('what names a file here is named by its whole path, since agents run elsewhere', () => {
  const here = temporaryDirectory();
  writeFileSync(join(here, 'agent.mjs'), '');
  writeFileSync(join(here, 'node'), '');
  expect(wholePaths(['node', 'agent.mjs', '--file', './agent.mjs', 'absent.mjs'], here)).toEqual([
    'node',
    join(here, 'agent.mjs'),
    '--file',
    join(here, 'agent.mjs'),
    'absent.mjs',
  ]);
  expect(wholePaths(['./agent.mjs'], here)).toEqual([join(here, 'agent.mjs')]);
});
