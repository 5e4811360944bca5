import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClaudeAgent } from '../../src/agents/claude.ts';
import { examineClaude, VERSION_FLOOR } from '../../src/agents/claude-check.ts';
import { fakeClaude, playClaude, seenIn } from './fake-claude.ts';
import { createFolder } from './play.ts';

const good = () => fakeClaude('say(init); say(result);');

test('A113: starts Claude Code restricted, with the Worker’s own configuration and its instructions, the prompt on stdin only', async () => {
  const { run, result } = await playClaude(
    { bin: good() },
    {
      prompt: 'All of it.',
      briefPrompt: 'What to do: 漢字.',
      instructions: 'Be Ada.',
      grants: ['Bash(gh *)', 'Bash(git status)', 'WebFetch'],
    },
  );
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok' });
  const { argv, stdin, cwd, instructions } = seenIn(run.folder);
  expect(argv).toEqual([
    '--print',
    ...['--output-format', 'stream-json', '--verbose', '--include-partial-messages', '--forward-subagent-text'],
    ...['--restricted', '--permission-mode', 'dontAsk'],
    ...['--strict-mcp-config', '--mcp-config', join(run.folder, 'mcp.json')],
    '--disable-slash-commands',
    ...['--append-system-prompt-file', join(run.folder, '.home/.claude/instructions.md')],
    ...['--model', 'sonnet', '--effort', 'low'],
    '--no-session-persistence',
    ...['--tools', 'Read,Write,Edit,Glob,Grep,Bash,WebFetch'],
    ...[
      '--allowedTools',
      'mcp__helix',
      'Read',
      'Write',
      'Edit',
      'Glob',
      'Grep',
      'Bash(gh *)',
      'Bash(git status)',
      'WebFetch',
    ],
  ]);
  expect([stdin, cwd, instructions]).toEqual(['What to do: 漢字.', run.folder, 'Be Ada.']);
});

test('A113: names a model and an effort only where they are set, the Worker’s own first', async () => {
  const bin = good();
  const { run } = await playClaude({ bin, model: '', effort: '' });
  expect(seenIn(run.folder).argv).not.toEqual(expect.arrayContaining(['--model']));
  expect(seenIn(run.folder).argv).not.toEqual(expect.arrayContaining(['--effort']));
  const own = await playClaude({ bin }, { agent: { model: 'opus', effort: 'high' } });
  const { argv } = seenIn(own.run.folder);
  expect([argv[argv.indexOf('--model') + 1], argv[argv.indexOf('--effort') + 1]]).toEqual(['opus', 'high']);
});

test('gives no tool that a Grant could smuggle in: none of another server, no option', async () => {
  const { run } = await playClaude(
    { bin: good() },
    { grants: ['mcp__evil__x', '--dangerously-skip-permissions', 'Read)'] },
  );
  const { argv } = seenIn(run.folder);
  expect(argv.slice(argv.indexOf('--tools'))).toEqual([
    ...['--tools', 'Read,Write,Edit,Glob,Grep'],
    ...['--allowedTools', 'mcp__helix', 'Read', 'Write', 'Edit', 'Glob', 'Grep'],
  ]);
});

test('A114: passes on no CLAUDE_CODE_ variable of the daemon, and its login', async () => {
  for (const name of [
    'CLAUDECODE',
    'CLAUDE_CODE_ENTRYPOINT',
    'CLAUDE_CODE_SSE_PORT',
    'CLAUDE_CONFIG_DIR',
    'ANTHROPIC_MODEL',
  ]) {
    const before = process.env[name];
    process.env[name] = 'the daemon’s';
    onTestFinished(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
  const { run } = await playClaude({ bin: good(), login: { CLAUDE_CODE_OAUTH_TOKEN: 'the login' } });
  const { env } = seenIn(run.folder);
  expect(Object.values(env)).not.toContain('the daemon’s');
  expect(env).toMatchObject({
    CLAUDE_CODE_OAUTH_TOKEN: 'the login',
    CLAUDE_CONFIG_DIR: join(run.folder, '.home/.claude'),
    HOME: join(run.folder, '.home'),
    HELIX_WORKER_ID: 'w-ada',
    HELIX_MCP_TOKEN: 'the-token',
  });
});

test('makes the configuration directory anew, and keeps of it only sessions that a run may go on in', async () => {
  const folder = createFolder();
  const config = join(folder, '.home/.claude');
  const sessions = join(config, 'projects/-tmp-x');
  const fill = () => {
    mkdirSync(sessions, { recursive: true });
    for (const name of ['kept.jsonl', 'old.jsonl']) writeFileSync(join(sessions, name), '{}');
    writeFileSync(join(config, 'settings.json'), '{}');
  };
  fill();
  const bin = good();
  await playClaude({ bin }, { folder, keptSessions: ['kept'], resume: 'kept' });
  expect(existsSync(join(sessions, 'kept.jsonl'))).toBe(true);
  expect(existsSync(join(sessions, 'old.jsonl'))).toBe(false);
  expect(existsSync(join(config, 'settings.json'))).toBe(false);
  expect(seenIn(folder).argv).toEqual(expect.arrayContaining(['--resume', 'kept', '--fork-session']));
  expect(seenIn(folder).argv).not.toContain('--no-session-persistence');
  fill();
  await playClaude({ bin }, { folder });
  expect(existsSync(sessions)).toBe(false);
});

test('A126: says what is missing, by name and with what to do, instead of starting something else', async () => {
  const missing = await playClaude({ bin: 'no-such-claude' });
  expect(missing.result).toMatchObject({
    outcome: 'failed',
    agentFault: true,
    exit: expect.stringMatching(
      /^cannot start "no-such-claude": claude\.bin names "no-such-claude": no such program\. Install Claude Code /,
    ),
  });
  const old = await playClaude({ bin: fakeClaude('', '2.1.242') });
  expect(old.result.exit).toMatch(/is Claude Code 2\.1\.242; Workers need \d+\.\d+\.\d+ or newer\. Update it/);
  expect(old.result.agentFault).toBe(true);
  expect(existsSync(join(old.run.folder, 'seen.json'))).toBe(false);
  const unknown = await playClaude({ bin: '/bin/true' });
  expect(unknown.result.exit).toContain('does not say its version');
  const loggedOut = await playClaude({ bin: good(), login: {} });
  expect(loggedOut.result.exit).toContain(
    'not logged in for Workers. Run `helix-org login claude`, or start the daemon with ANTHROPIC_API_KEY',
  );
  expect(existsSync(join(loggedOut.run.folder, 'seen.json'))).toBe(false);
});

test.each([
  [
    { ANTHROPIC_API_KEY: 'sk-secret', CLAUDE_CODE_OAUTH_TOKEN: 'oat-secret' },
    'The API account of ANTHROPIC_API_KEY pays',
  ],
  [{ ANTHROPIC_AUTH_TOKEN: 'tok-secret', ANTHROPIC_BASE_URL: 'https://gateway.example/x' }, 'at gateway.example.'],
  [{ CLAUDE_CODE_OAUTH_TOKEN: 'oat-secret' }, 'Runs count towards the Claude subscription'],
])('whose account pays is known from the login, which is not shown: %j', async (login, sentence) => {
  const report = await examineClaude(good(), login as Record<string, string>);
  expect(report.account).toContain(sentence);
  expect(JSON.stringify(report)).not.toContain('secret');
});

test('is examined without a run: program, version, login, each problem with its fix', async () => {
  const bin = good();
  expect(await examineClaude(bin, { ANTHROPIC_API_KEY: 'x' })).toEqual({
    kind: 'claude',
    found: bin,
    version: '2.1.329',
    loggedIn: true,
    account: 'The API account of ANTHROPIC_API_KEY pays for runs, by use.',
    problems: [],
  });
  expect(await examineClaude('no-such-claude', {})).toEqual({
    kind: 'claude',
    found: null,
    version: null,
    loggedIn: false,
    problems: [
      {
        sentence: expect.stringContaining('no such program'),
        fix: expect.stringContaining('npm install -g @anthropic-ai/claude-code'),
      },
      { sentence: expect.stringContaining('not logged in'), fix: expect.stringContaining('helix-org login claude') },
    ],
  });
  for (const [version, isFit] of [
    [VERSION_FLOOR, true],
    ['2.2.0', true],
    ['3.0.0', true],
    ['2.0.999', false],
    ['1.9.0', false],
  ] as const)
    expect((await examineClaude(fakeClaude('', version), { ANTHROPIC_API_KEY: 'x' })).problems.length === 0).toBe(
      isFit,
    );
});

test('notices that the program was updated', async () => {
  const bin = fakeClaude('', '1.0.0');
  const problems = async () => (await examineClaude(bin, { ANTHROPIC_API_KEY: 'x' })).problems.length;
  expect(await problems()).toBe(1);
  writeFileSync(bin, `${readFileSync(bin, 'utf8').replace('1.0.0', '2.10.0')}\n// newer`);
  chmodSync(bin, 0o755);
  expect(await problems()).toBe(0);
});

test('checks what is set now', async () => {
  let bin = 'no-such-claude';
  const agent = createClaudeAgent({
    settings: () => ({ bin, model: 'sonnet', effort: 'low' }),
    login: () => ({ ANTHROPIC_API_KEY: 'x' }),
  });
  expect(await agent.check()).toMatchObject({ ok: false, problem: expect.stringContaining('no such program') });
  bin = good();
  expect(await agent.check()).toMatchObject({ ok: true, version: '2.1.329' });
  expect(await agent.describe?.({})).toEqual({ version: '2.1.329', model: 'sonnet' });
  expect(await agent.describe?.({ model: 'opus' })).toEqual({ version: '2.1.329', model: 'opus' });
});
