import { describe, expect, test } from 'vitest';
import { createProgram, main } from '../../src/cli/main.ts';
import { version } from '../../src/cli/version.ts';
import { temporaryDirectory } from '../support/daemon.ts';

async function run(argv: string[], environment: NodeJS.ProcessEnv = { HELIX_ORG_HOME: '/nonexistent/home' }) {
  const said = { out: '', err: '' };
  const code = await main(argv, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    environment,
  });
  return { code, ...said };
}

const COMMANDS = ['serve', 'bootstrap', 'demo', 'call', 'tail', 'token', 'verify', 'rebuild', 'help'];

test('without a subcommand the usage goes to stderr and the exit code is 1 (A13)', async () => {
  const { code, out, err } = await run([]);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^Usage: helix-org /);
  expect(err.trimEnd().endsWith('no subcommand given')).toBe(true);
  for (const command of COMMANDS) expect(err).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
});

test.each([
  ['x', 'unknown subcommand "x"; valid: serve, bootstrap, demo, call, tail, token, verify, rebuild, help.\n'],
  ['serv', 'unknown subcommand "serv"; did you mean serve?\n'],
])('an unknown subcommand %s is named, with what was meant, and the exit code is 1 (A13)', async (word, sentence) => {
  expect(await run([word])).toEqual({ code: 1, out: '', err: sentence });
});

test('an unknown subcommand of a subcommand is one as well', async () => {
  expect(await run(['token', 'creat'])).toEqual({ code: 1, out: '', err: 'unknown subcommand "creat"; did you mean create?\n' });
  expect(await run(['help', 'nope'])).toMatchObject({ code: 1, err: expect.stringContaining('unknown subcommand "nope"') });
});

test.each([['help'], ['-h'], ['--help']])('%s prints the usage on stdout and exits 0 (A14)', async (word) => {
  const { code, out, err } = await run([word]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
});

test.each(COMMANDS)('`help %s`, `--help` after it and before it say the same', async (command) => {
  const { code, out } = await run(['help', command]);
  expect(code).toBe(0);
  expect(out).toContain(`Usage: helix-org ${command}`);
  expect((await run([command, '--help'])).out).toBe(out);
});

test('every option of every command says what it does', () => {
  const program = createProgram({ out: () => {}, err: () => {}, environment: {}, exitCode: 0 });
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
    expect(command.description(), command.name()).not.toBe('');
    for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).not.toBe('');
  }
});

test('--version prints the version of the package', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

describe('wrong usage of a command exits 2 with one sentence', () => {
  test.each([
    [['verify', '--nope'], "unknown option '--nope'"],
    [['verify', 'extra'], "too many arguments for 'verify'"],
    [['call'], "missing required argument 'tool'"],
    [['token', 'create'], "required option '--worker <id>' not specified"],
    [['token', 'create', '--worker', 'w-x', '--expires', 'soon'], 'Write a number and a unit'],
    [['serve', '--addr', 'here'], '"here" is no address to listen on'],
    [['serve', '--public-url', 'example.com'], 'A URL begins with http:// or https://'],
    [['serve', '--durability', 'some'], 'Allowed choices are full, normal'],
    [['serve', '--agent-command', '["a", 1]'], 'no JSON array of strings'],
    [['serve', '--agent-command', "node 'a"], 'without its end'],
  ])('%j', async (argv, sentence) => {
    const { code, out, err } = await run(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });
});

test('options are taken before the subcommand, before its operands, and after them', async () => {
  const dir = temporaryDirectory();
  const made = await run(['--data-dir', dir, 'bootstrap', '--json']);
  expect(made).toMatchObject({ code: 0, err: '' });
  const lines = [
    ['--data-dir', dir, '--quiet', 'call', 'list_workers', '--json'],
    ['call', '--data-dir', dir, '--json', 'list_workers', '{}', '-q'],
    ['call', 'list_workers', '--json', '{}', '--data-dir', dir],
  ];
  for (const line of lines) expect(await run(line)).toMatchObject({ code: 0, out: expect.stringContaining('"w-owner"'), err: '' });
});

test.each([['verify'], ['rebuild'], ['tail'], ['call', 'list_workers'], ['token', 'list']])(
  '`%s` makes no data directory, and says how to make one',
  async (...argv) => {
    const { code, err } = await run(argv);
    expect(code).toBe(1);
    expect(err).toContain('There is no organisation here: /nonexistent/home does not exist.');
    expect(err).toContain('`helix-org serve` or `helix-org bootstrap` makes one');
  },
);

test('a command says on stderr which data directory it uses, unless it prints JSON or is told to be quiet', async () => {
  const dir = temporaryDirectory();
  await run(['bootstrap', '--quiet', '--data-dir', dir]);
  expect((await run(['verify', '--data-dir', dir])).err).toBe(`Data directory: ${dir}\n`);
  expect((await run(['verify'], { HELIX_ORG_HOME: dir })).err).toBe(`Data directory: ${dir}\n`);
  expect((await run(['verify', '--data-dir', dir, '--json'])).err).toBe('');
  expect((await run(['verify', '--data-dir', dir, '-q'])).err).toBe('');
});
