import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCodexAgent } from '../../src/agents/codex.ts';
import { CODEX_VERSION_FLOOR, examineCodex } from '../../src/agents/codex-check.ts';
import { fakeCodex, playCodex, seenByCodex } from './fake-codex.ts';
import { createFolder } from './play.ts';

const good = () => fakeCodex('say(start); say(done);');
const tablesOf = (config: string) =>
  Object.fromEntries(
    `[]\n${config}`.split(/^\[/m).flatMap((part) => {
      const [name = '', ...lines] = part.split('\n');
      return name === '' ? [] : [[name.replace(/\]$/, ''), lines.filter((line) => line !== '')]];
    }),
  ) as Record<string, string[]>;

test('A113: starts Codex with a configuration of its own, its instructions in it, and the prompt on stdin only', async () => {
  const { run, result } = await playCodex(
    { bin: good(), model: 'gpt-6', effort: 'low' },
    { prompt: 'All of it.', briefPrompt: 'What to do: 漢字.', instructions: 'Be "Ada".\nYes\u007f.' },
  );
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok', session: 'the-session' });
  const { argv, stdin, cwd, config } = seenByCodex(run.folder);
  const flags = ['--json', '--skip-git-repo-check', '--strict-config', '--ignore-rules', '--ephemeral'];
  expect(argv).toEqual(['exec', ...flags, '-']);
  expect([stdin, cwd]).toEqual(['What to do: 漢字.', run.folder]);
  const tables = tablesOf(config);
  expect(tables['']).toEqual(
    expect.arrayContaining([
      'model = "gpt-6"',
      'model_reasoning_effort = "low"',
      'developer_instructions = "Be \\"Ada\\".\\nYes\\u007F."',
      'approval_policy = "never"',
      'web_search = "disabled"',
    ]),
  );
  expect(tables['mcp_servers.helix']).toEqual(
    expect.arrayContaining([`url = "${run.mcp.url}"`, 'bearer_token_env_var = "HELIX_MCP_TOKEN"', 'required = true']),
  );
  expect(config).not.toContain('the-token');
  const catalog = JSON.parse(readFileSync(join(run.folder, '.home/.codex/models.json'), 'utf8'));
  expect(catalog).toEqual({ models: [{ slug: 'a-model', supports_search_tool: false }] });
});

test('A113: names a model and an effort only where they are set, the Worker’s own first', async () => {
  const bin = good();
  const { run } = await playCodex({ bin });
  expect(seenByCodex(run.folder).config).not.toMatch(/^model(_reasoning_effort)? = /m);
  const own = await playCodex({ bin, model: 'a', effort: 'low' }, { agent: { model: 'b', effort: 'high' } });
  expect(seenByCodex(own.run.folder).config).toMatch(/^model = "b"\nmodel_reasoning_effort = "high"$/m);
});

test('has no shell, no web and no network without a Grant, and reads nothing but its folder and the system', async () => {
  const { run, bodies } = await playCodex({ bin: good() }, { grants: ['Bash(gh *)', 'Read', '--yolo'] });
  const tables = tablesOf(seenByCodex(run.folder).config);
  expect(tables.features).toContain('shell_tool = false');
  expect(tables['permissions.worker.network']).toEqual(['enabled = false']);
  expect(tables['permissions.worker.filesystem']?.slice(0, 2)).toEqual(['":root" = "deny"', '":minimal" = "read"']);
  expect(tables['permissions.worker.filesystem']).not.toContain('"/opt/wrappers" = "read"');
  expect(tables['permissions.worker.filesystem.":workspace_roots"']).toEqual(
    expect.arrayContaining(['"." = "write"', '".home" = "read"', '".home/.codex/auth.json" = "deny"']),
  );
  expect(bodies.filter((body) => body.includes('gives nothing'))).toEqual([
    expect.stringMatching(/^agent:Bash\(gh \*\) gives nothing: Codex cannot hold a shell to a pattern/),
    expect.stringMatching(/^agent:Read gives nothing: /),
    expect.stringMatching(/^agent:--yolo gives nothing: /),
  ]);
});

test('has a shell with agent:Bash, which sees its search path but nothing that holds the folder, and the web with agent:WebSearch', async () => {
  const folder = createFolder();
  const environment = { PATH: `/opt/wrappers:/opt/tools/bin:${join(folder, '..')}:relative` };
  const { run } = await playCodex({ bin: good() }, { folder, environment, grants: ['Bash', 'WebSearch'] });
  const { config, argv } = seenByCodex(run.folder);
  expect(argv[0]).toBe('exec');
  expect(config).toMatch(/^web_search = "live"$/m);
  const tables = tablesOf(config);
  expect(tables.features).toContain('shell_tool = true');
  expect(tables['permissions.worker.network']).toEqual(['enabled = true']);
  expect(tables['permissions.worker.filesystem']?.slice(3)).toEqual([
    '"/opt/wrappers" = "read"',
    '"/opt/tools/bin" = "read"',
  ]);
});

test('A114: passes on no CODEX_ or OPENAI_ variable of the daemon but its login', async () => {
  for (const name of ['CODEX_HOME', 'CODEX_SQLITE_HOME', 'OPENAI_ORGANIZATION', 'OPENAI_API_KEY', 'RUST_LOG']) {
    const before = process.env[name];
    process.env[name] = 'the daemon’s';
    onTestFinished(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
  const { run } = await playCodex({
    bin: good(),
    login: { OPENAI_API_KEY: 'the login', OPENAI_BASE_URL: 'http://x/v1' },
  });
  const { env, config } = seenByCodex(run.folder);
  expect(Object.values(env)).not.toContain('the daemon’s');
  expect(env).toMatchObject({
    CODEX_API_KEY: 'the login',
    CODEX_HOME: join(run.folder, '.home/.codex'),
    HOME: join(run.folder, '.home'),
    HELIX_WORKER_ID: 'w-ada',
    HELIX_MCP_TOKEN: 'the-token',
  });
  expect(tablesOf(config)['model_providers.worker']).toContain('base_url = "http://x/v1"');
  expect(config).not.toContain('the login');
});

const account = (rest: object) => JSON.stringify({ tokens: { account_id: 'acc', refresh_token: 'lasting', ...rest } });
const renewing = (auth: string) =>
  fakeCodex(`fs.writeFileSync(home + '/auth.json', ${JSON.stringify(auth)}); say(start); say(done);`);

test('logs in with an account by a file, and keeps what Codex renewed in it', async () => {
  const renewed = account({ access_token: 'new' });
  const login = { CODEX_AUTH_JSON: account({ access_token: 'old' }) };
  const { run, kept } = await playCodex({ bin: renewing(renewed), login });
  const { auth, env } = seenByCodex(run.folder);
  expect(auth).toBe(login.CODEX_AUTH_JSON);
  expect(JSON.stringify(env)).not.toContain('lasting');
  expect(kept).toEqual([renewed]);
  const same = await playCodex({ bin: good(), login });
  expect(same.kept).toEqual([]);
});

test('keeps no login of another account, none without what renews it, and none from a run that had a shell', async () => {
  const login = { CODEX_AUTH_JSON: account({}) };
  for (const auth of [account({ account_id: 'evil', x: 1 }), account({ refresh_token: '' }), 'no JSON', '{}'])
    expect((await playCodex({ bin: renewing(auth), login })).kept).toEqual([]);
  const { run, kept } = await playCodex({ bin: renewing(account({ x: 1 })), login }, { grants: ['Bash'] });
  expect(kept).toEqual([]);
  // Whoever reads files there finds nothing that lasts.
  expect(seenByCodex(run.folder).auth).not.toContain('lasting');
});

test('makes its directory anew, and keeps of it only sessions that a run may go on in', async () => {
  const folder = createFolder();
  const directory = join(folder, '.home/.codex');
  const day = join(directory, 'sessions/2026/01/02');
  const fill = () => {
    mkdirSync(day, { recursive: true });
    for (const name of ['kept', 'old']) writeFileSync(join(day, `rollout-2026-01-02-${name}.jsonl`), '{}');
    writeFileSync(join(directory, 'hooks.json'), '{}');
  };
  fill();
  const bin = good();
  const { run } = await playCodex({ bin }, { folder, keptSessions: ['kept'], resume: 'kept' });
  expect(readdirSync(day)).toEqual(['rollout-2026-01-02-kept.jsonl']);
  expect(existsSync(join(directory, 'hooks.json'))).toBe(false);
  expect(seenByCodex(run.folder).argv.slice(0, 3)).toEqual(['exec', 'resume', 'kept']);
  expect(seenByCodex(run.folder).argv).not.toContain('--ephemeral');
  fill();
  await playCodex({ bin }, { folder });
  expect(existsSync(day)).toBe(false);
});

test('knows which sessions it could go on in', async () => {
  const folder = createFolder();
  const agent = createCodexAgent({
    settings: () => ({ bin: 'codex', model: '', effort: '' }),
    login: () => ({}),
    keepLogin: () => {},
    readable: () => [],
  });
  expect(await agent.canResume?.(folder, 'a')).toBe(false);
  mkdirSync(join(folder, '.home/.codex/sessions/2026'), { recursive: true });
  writeFileSync(join(folder, '.home/.codex/sessions/2026/rollout-a.jsonl'), '');
  expect(await agent.canResume?.(folder, 'a')).toBe(true);
  expect(await agent.canResume?.(folder, 'b')).toBe(false);
});

test('A113: counts of a session that goes on only what is new, and leaves it as it was when the run fails', async () => {
  const folder = createFolder();
  const day = join(folder, '.home/.codex/sessions/2026/01/02');
  const file = join(day, 'rollout-x-kept.jsonl');
  mkdirSync(day, { recursive: true });
  const total = (input: number) => `{"total_token_usage":{"input_tokens":${input},"output_tokens":5}}\n`;
  const before = total(10) + total(60);
  writeFileSync(file, before);
  const goingOn = { folder, keptSessions: ['kept'], resume: 'kept' };
  const adding = `fs.appendFileSync(${JSON.stringify(file)}, 'more'); say(start);`;
  const well = await playCodex({ bin: fakeCodex(`${adding} say(done);`) }, goingOn);
  expect(well.result).toMatchObject({ outcome: 'done', usage: { inputTokens: 40, outputTokens: 15 } });
  expect(readFileSync(file, 'utf8')).toBe(`${before}more`);
  await playCodex({ bin: fakeCodex(`${adding} say(failed('no')); process.exitCode = 1;`) }, goingOn);
  expect(readFileSync(file, 'utf8')).toBe(`${before}more`);
});

test('tells a run without a shell what its helix-log.md holds, its end where it is long, and never what a link leads to', async () => {
  const folder = createFolder();
  const bin = good();
  const told = async (grants: string[] = []) =>
    seenByCodex((await playCodex({ bin }, { folder, grants, briefPrompt: 'Do it.' })).run.folder).stdin;
  expect(await told()).toBe('Do it.');
  writeFileSync(join(folder, 'helix-log.md'), `${'an old line\n'.repeat(2_000)}the last line\n`);
  const prompt = await told();
  expect(prompt).toMatch(/here is your helix-log.md \(its end\)/);
  expect(prompt).toMatch(
    /=== helix-log.md ===\n {4}an old line\n[\s\S]* {4}the last line\n=== end helix-log.md ===\n\nDo it\.$/,
  );
  expect(prompt.length).toBeLessThan(25_000);
  expect(await told(['Bash'])).toBe('Do it.');
  const linked = createFolder();
  symlinkSync(join(folder, 'helix-log.md'), join(linked, 'helix-log.md'));
  const { run } = await playCodex({ bin }, { folder: linked, briefPrompt: 'Do it.' });
  expect(seenByCodex(run.folder).stdin).toBe('Do it.');
});

test('A113: says what is wrong and what to do when Codex is missing, too old, silent or not logged in', async () => {
  const login = { OPENAI_API_KEY: 'x' };
  expect((await examineCodex(good(), login)).problems).toEqual([]);
  const missing = await examineCodex('/nowhere/codex', login);
  expect(missing.problems).toMatchObject([{ sentence: 'codex.bin names "/nowhere/codex": no such program.' }]);
  const old = await examineCodex(fakeCodex('', '0.168.9'), login);
  expect(old.problems[0]?.sentence).toContain(`is Codex 0.168.9; Workers need ${CODEX_VERSION_FLOOR} or newer.`);
  const silent = await examineCodex(fakeCodex('', 'none'), login);
  expect(silent.problems[0]?.sentence).toContain('does not say its version');
  const out = await examineCodex(good(), { OPENAI_BASE_URL: 'http://x' });
  expect(out).toMatchObject({ loggedIn: false, problems: [{ sentence: 'Codex is not logged in for Workers.' }] });
  for (const name of ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN', 'CODEX_AUTH_JSON'])
    expect((await examineCodex(good(), { [name]: 'x' })).loggedIn).toBe(true);
  const { result } = await playCodex({ bin: '/nowhere/codex' });
  expect(result).toMatchObject({ outcome: 'failed', agentFault: true, exit: expect.stringContaining('Install Codex') });
});
