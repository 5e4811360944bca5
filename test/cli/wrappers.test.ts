import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { installWrappers } from '../../src/cli/wrappers.ts';
import { temporaryDirectory } from '../support/daemon.ts';

const MARK = '1.a-00000000-0000-4000-8000-000000000000.0..signature';
const COMMENT = new RegExp(`<!-- helix-activation: ${MARK} [0-9a-f]{12} -->$`);

let directory: string;
let wrappers: string;
/** Where the fake gh lies. */
let programs: string;

beforeEach(() => {
  directory = temporaryDirectory();
  wrappers = installWrappers(join(directory, "data 'n dir"));
  programs = join(directory, 'programs');
  mkdirSync(programs);
  const fake = join(programs, 'gh');
  writeFileSync(
    fake,
    `#!${process.execPath}\nconst { writeFileSync, readFileSync, fstatSync } = require('node:fs');
const args = process.argv.slice(2);
const stdin = args.includes('-') ? readFileSync(0, 'utf8') : '';
writeFileSync(process.env.SAID, JSON.stringify({ args, stdin, path: process.env.PATH }));
process.stdout.write('https://github.com/acme/site/issues/7\\n');
process.exit(args.includes('--fail') ? 4 : 0);\n`,
  );
  chmodSync(fake, 0o755);
});

type Options = { mark?: string; input?: string; cwd?: string };

function wrapped(program: string, args: string[], { mark = MARK, input, cwd = directory }: Options = {}) {
  const said = join(directory, 'said.json');
  const result = spawnSync(join(wrappers, program), args, {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: [wrappers, programs, process.env.PATH].join(delimiter),
      HOME: directory,
      SAID: said,
      GIT_AUTHOR_NAME: 'W',
      GIT_AUTHOR_EMAIL: 'w@example.com',
      GIT_COMMITTER_NAME: 'W',
      GIT_COMMITTER_EMAIL: 'w@example.com',
      ...(mark ? { HELIX_PROVENANCE: mark } : {}),
    },
    ...(input === undefined ? {} : { input }),
  });
  const heard = existsSync(said) ? JSON.parse(readFileSync(said, 'utf8')) : { args: [], stdin: '' };
  return { ...result, args: heard.args as string[], stdin: heard.stdin as string };
}
const gh = (args: string[], options?: Options) => wrapped('gh', args, options);

test('they lie where only the daemon writes, and are made anew at each start', () => {
  for (const name of ['gh', 'git']) expect(statSync(join(wrappers, name)).mode & 0o777).toBe(0o555);
  expect(statSync(wrappers).mode & 0o022).toBe(0);
  expect(installWrappers(join(directory, "data 'n dir"))).toBe(wrappers);
});

describe('gh', () => {
  test.each([
    [['issue', 'comment', '7', '--body', 'Done.'], 4],
    [['issue', 'comment', '7', '-b', 'Done.'], 4],
    [['issue', '-R', 'acme/site', 'create', '--title', 'T', '--body', 'Done.'], 7],
    [['issue', 'edit', '7', '--body', 'Done.'], 4],
    [['issue', 'close', '7', '--comment', 'Done.'], 4],
    [['pr', 'create', '--title', 'T', '-b', 'Done.', '--base', 'main'], 5],
    [['pr', 'review', '7', '--comment', '-b', 'Done.'], 5],
    [['pr', 'review', '7', '-cb', 'Done.'], 5],
    [['pr', 'reopen', '7', '-c', 'Done.'], 4],
    [['release', 'create', 'v1', '--notes', 'Done.'], 4],
  ])('%j: the text gets the mark at its end', (args, at) => {
    const { args: heard, status, stdout } = gh(args);
    expect([status, stdout]).toEqual([0, 'https://github.com/acme/site/issues/7\n']);
    const position = heard.findIndex((word) => word.startsWith('Done.'));
    expect(heard[position]).toMatch(COMMENT);
    expect(heard[position]).toMatch(/^Done\.\n\n<!--/);
    if (!args.includes('-cb')) {
      expect(position).toBe(at);
      expect(heard.toSpliced(at, 1)).toEqual(args.toSpliced(at, 1));
    }
  });

  test.each([[['--body=Done.']], [['-bDone.']]])('%j is understood too', (more) => {
    const { args } = gh(['issue', 'comment', '7', ...more]);
    expect(args.slice(0, 3)).toEqual(['issue', 'comment', '7']);
    expect(args[4]).toMatch(/^Done\.\n\n<!-- helix/);
  });

  test('a text from a file or from standard input is marked on its way', () => {
    writeFileSync(join(directory, 'body.md'), 'From a file.\n');
    const file = gh(['pr', 'comment', '7', '--body-file', 'body.md']);
    expect(file.args).toEqual(['pr', 'comment', '7', '--body-file', '-']);
    expect(file.stdin).toMatch(/^From a file\.\n\n<!-- helix/);
    expect(gh(['pr', 'comment', '7', '-F', '-'], { input: 'From here.' }).stdin).toMatch(/^From here\.\n\n<!-- helix/);
  });

  test('an approval without a word gets a mark that nobody sees', () => {
    const { args } = gh(['pr', 'review', '7', '--approve']);
    expect(args.slice(0, 5)).toEqual(['pr', 'review', '7', '--approve', '--body']);
    expect(args[5]).toMatch(COMMENT);
  });

  test('the API: bodies as fields and as JSON', () => {
    const path = 'repos/acme/site/issues/7/comments';
    const field = gh(['api', path, '-f', 'body=Done.', '-f', 'x=1']);
    expect(field.args[3]).toMatch(/^body=Done\.\n\n<!-- helix/);
    expect(field.args.slice(4)).toEqual(['-f', 'x=1']);
    writeFileSync(join(directory, 'body.md'), 'From a file.');
    expect(gh(['api', path, '--field=body=@body.md']).args).toEqual([
      'api',
      path,
      '--raw-field',
      expect.stringMatching(/^body=From a file\.\n\n/),
    ]);
    const { stdin } = gh(['api', path, '--input', '-'], { input: '{"body":"Done.","n":[1]}' });
    expect(JSON.parse(stdin)).toEqual({ body: expect.stringMatching(/^Done\.\n\n<!-- helix/), n: [1] });
    expect(gh(['api', path, '--input', '-'], { input: 'no json' }).stdin).toBe('no json');
  });

  test('a mark that was copied along is replaced', () => {
    const old = `Before.\n\n<!-- helix-activation: 1.a-1.0..x 00 -->\n\nAfter.`;
    const { args } = gh(['issue', 'edit', '7', '--body', old]);
    expect(args[4]).toMatch(/^Before\.\n\nAfter\.\n\n<!-- helix-activation: 1\.a-0000/);
    expect(args[4]?.match(/helix-activation/g)).toHaveLength(1);
  });

  test.each([
    [['issue', 'list', '--label', 'docs']],
    [['issue', 'edit', '7', '--add-label', 'docs']],
    [['pr', 'create', '--web']],
    [['pr', 'checks', '7']],
    [['api', 'repos/acme/site']],
    [['api', 'graphql', '-f', 'query={viewer{login}}']],
    [['auth', 'status']],
    [[]],
    [['issue', 'comment', '7', '--body-file', 'missing.md']],
    [['issue', 'comment', '7', '--body']],
  ])('%j passes as it is', (args) => {
    expect(gh(args).args).toEqual(args);
  });

  test('outside of an activation everything passes as it is', () => {
    const args = ['issue', 'comment', '7', '--body', 'Done.'];
    expect(gh(args, { mark: '' }).args).toEqual(args);
  });

  test('how it ends is how gh ended', () => {
    expect(gh(['issue', 'list', '--fail']).status).toBe(4);
  });

  test('where there is none, it says so as a shell does', () => {
    const { status, stderr } = spawnSync(join(wrappers, 'gh'), [], { encoding: 'utf8', env: { PATH: wrappers } });
    expect([status, stderr]).toEqual([127, 'gh: command not found\n']);
  });
});

describe('git', () => {
  const git = (...args: string[]) => wrapped('git', args, { cwd: join(directory, 'repo') });
  const message = () => git('log', '-1', '--format=%B').stdout.trim();
  const write = (text: string) => writeFileSync(join(directory, 'repo', 'file'), text);

  beforeEach(() => {
    mkdirSync(join(directory, 'repo'));
    expect(git('init', '-q')).toMatchObject({ status: 0 });
    write('1');
    git('add', '.');
  });

  test('a commit gets a trailer, with whatever options', () => {
    expect(git('commit', '-q', '-m', 'One').status).toBe(0);
    expect(message()).toBe(`One\n\nHelix-Activation: ${MARK}`);
    write('2 "quoted" $x');
    expect(git('-c', 'user.name=commit', '-C', '.', 'commit', '-qam', 'Two "words" $HOME').status).toBe(0);
    expect(message()).toBe(`Two "words" $HOME\n\nHelix-Activation: ${MARK}`);
    expect(git('commit', '--amend', '-q', '--no-edit').status).toBe(0);
    expect(message()).toBe(`Two "words" $HOME\n\nHelix-Activation: ${MARK}`);
  });

  test('everything else passes as it is, and its end is git’s', () => {
    git('commit', '-q', '-m', 'One');
    expect(git('log', '--format=%s').stdout).toBe('One\n');
    expect(git('nonsense').status).toBe(1);
    expect(git('commit', '-q', '-m', 'Nothing').status).toBe(1);
    expect(git('log', '--grep', 'commit').status).toBe(0);
  });

  test('outside of an activation a commit is just a commit', () => {
    wrapped('git', ['commit', '-q', '-m', 'One'], { mark: '', cwd: join(directory, 'repo') });
    expect(
      execFileSync('git', ['log', '-1', '--format=%B'], { cwd: join(directory, 'repo'), encoding: 'utf8' }).trim(),
    ).toBe('One');
  });

  test('gh pr create --fill takes the text of the last commit', () => {
    git('commit', '-q', '-m', 'One\n\nBecause.');
    const { args } = wrapped('gh', ['pr', 'create', '--fill'], { cwd: join(directory, 'repo') });
    expect(args.slice(0, 4)).toEqual(['pr', 'create', '--fill', '--body']);
    expect(args[4]).toMatch(/^Because\./);
    expect(args[4]).toMatch(COMMENT);
  });
});
