import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/main.ts';
import { version } from '../../src/cli/version.ts';
import { NOWHERE, cli as run, temporaryDirectory } from '../support/daemon.ts';

/** As `main` registers them. */
const COMMANDS = createProgram({ out() {}, err() {}, environment: {}, exitCode: 0 }).commands.map((command) =>
  command.name(),
);

test('without a subcommand the usage goes to stderr and the exit code is 1 (A13)', async () => {
  const { code, stdout, stderr } = await run([]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^Usage: helix-org /);
  expect(stderr.trimEnd().endsWith('no subcommand given')).toBe(true);
  for (const command of COMMANDS) expect(stderr).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
});

test.each([
  ['x', `unknown subcommand "x"; valid: ${COMMANDS.join(', ')}.\n`],
  ['serv', 'unknown subcommand "serv"; did you mean serve?\n'],
])('an unknown subcommand %s is named, with what was meant, and the exit code is 1 (A13)', async (word, sentence) => {
  expect(await run([word])).toEqual({ code: 1, stdout: '', stderr: sentence });
});

test('an unknown subcommand of a subcommand is one as well', async () => {
  expect(await run(['token', 'creat'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'unknown subcommand "creat"; did you mean create?\n',
  });
  expect(await run(['help', 'nope'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('unknown subcommand "nope"'),
  });
});

test.each([['help'], ['-h'], ['--help']])('%s prints the usage on stdout and exits 0 (A14)', async (word) => {
  const { code, stdout, stderr } = await run([word]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
});

test.each(COMMANDS)('`help %s`, `--help` after it and before it say the same', async (command) => {
  const { code, stdout } = await run(['help', command]);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: helix-org ${command}`);
  expect((await run([command, '--help'])).stdout).toBe(stdout);
});

test('every option of every command says what it does', () => {
  const program = createProgram({ out: () => {}, err: () => {}, environment: {}, exitCode: 0 });
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
    expect(command.description(), command.name()).not.toBe('');
    for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).not.toBe('');
  }
});

test('--version prints the version of the package', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
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
    [['serve', '--trust-proxy', 'my-proxy'], '"my-proxy" is no address of a proxy'],
    [['serve', '--trust-proxy', '10.0.0.0/8,10.0.0.0/33'], '"10.0.0.0/33" is no address of a proxy'],
    [['serve', '--durability', 'some'], 'Allowed choices are full, normal'],
    [['serve', '--agent-command', '["a", 1]'], 'no JSON array of strings'],
    [['serve', '--agent-command', "node 'a"], 'without its end'],
  ])('%j', async (argv, sentence) => {
    const { code, stdout, stderr } = await run(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });
});

test('options are taken before the subcommand, before its operands, and after them', async () => {
  const dir = temporaryDirectory();
  const made = await run(['--data-dir', dir, 'bootstrap', '--json']);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  const lines = [
    ['--data-dir', dir, '--quiet', 'call', 'list_workers', '--json'],
    ['call', '--data-dir', dir, '--json', 'list_workers', '{}', '-q'],
    ['call', 'list_workers', '--json', '{}', '--data-dir', dir],
  ];
  for (const line of lines)
    expect(await run(line)).toMatchObject({ code: 0, stdout: expect.stringContaining('"w-owner"'), stderr: '' });
});

test.each([['verify'], ['rebuild'], ['tail'], ['call', 'list_workers'], ['token', 'list']])(
  '`%s` makes no data directory, and says how to make one',
  async (...argv) => {
    const { code, stderr } = await run(argv);
    expect(code).toBe(1);
    expect(stderr).toContain(`There is no organisation here: ${NOWHERE} does not exist.`);
    expect(stderr).toContain('`helix-org serve` or `helix-org bootstrap` makes one');
  },
);

test('a command says on stderr which data directory it uses, unless it prints JSON or is told to be quiet', async () => {
  const dir = temporaryDirectory();
  await run(['bootstrap', '--quiet', '--data-dir', dir]);
  expect((await run(['verify', '--data-dir', dir])).stderr).toBe(`Data directory: ${dir}\n`);
  expect((await run(['verify'], { HELIX_ORG_HOME: dir })).stderr).toBe(`Data directory: ${dir}\n`);
  expect((await run(['verify', '--data-dir', dir, '--json'])).stderr).toBe('');
  expect((await run(['verify', '--data-dir', dir, '-q'])).stderr).toBe('');
});

describe('flags may stand before the name of a command, between names, and after them', () => {
  const dir = NOWHERE;
  const refused = `There is no organisation here: ${dir} does not exist.`;
  test.each([
    [['--json', 'verify', '--data-dir', dir]],
    [['--json', '--data-dir', dir, 'verify']],
    [['--data-dir', dir, 'verify', '--json']],
    [['--json', 'token', 'list', '--data-dir', dir]],
    [['token', '--json', 'list', '--data-dir', dir]],
    [['--data-dir', dir, 'token', '--json', 'list']],
    [['--since', '4', '--json', 'tail', 's-a', `--data-dir=${dir}`]],
    [['--prefix', 'list', 'config', 'list', '--json', '--data-dir', dir]],
    [['--worker', 'w-a', 'token', 'create', '-q', '--data-dir', dir]],
  ])('%j', async (argv) => {
    const { code, stdout, stderr } = await run(argv);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    // With `--json` or `--quiet` nothing is said of the data directory, so they were understood.
    expect(stderr).toMatch(new RegExp(`^${refused}`));
  });

  test('one that nobody knows is refused as it is after it, and help is help', async () => {
    expect(await run(['--nope', 'verify'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown option '--nope'"),
    });
    expect((await run(['--help', 'verify'])).stdout).toContain('Usage: helix-org verify');
    expect(await run(['--version', '--json'])).toMatchObject({ code: 0 });
  });
});
