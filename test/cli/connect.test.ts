import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, connect, runCli, startTestDaemon, type TestDaemon, temporaryDirectory } from '../support/daemon.ts';

/** A daemon, and somebody's home that no program of theirs has touched yet. */
async function setUp() {
  const daemon = await startTestDaemon();
  const home = temporaryDirectory();
  const environment = { HOME: home, HELIX_ORG_HOME: daemon.dir };
  return { daemon, home, run: (...args: string[]) => cli(args, environment), claude: join(home, '.claude.json') };
}

const parse = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const bytes = (file: string) => readFileSync(file, 'utf8');
const tokenIn = (text: string) => /hxo_[\w-]+/.exec(text)?.[0] ?? '';
const holds = (daemon: TestDaemon, token: string) => daemon.tokens.verify(token, 'token');

describe('connect claude', () => {
  test('A12: enters an endpoint that works, and a second run leaves the same bytes', async () => {
    const { daemon, run, claude } = await setUp();
    expect(await run('connect', 'claude')).toMatchObject({ code: 0, stdout: '' });
    const entry = parse(claude).mcpServers['helix-org'];
    expect(entry).toEqual({
      type: 'http',
      url: `${daemon.url}/workers/w-owner/mcp`,
      headers: { Authorization: expect.stringMatching(/^Bearer hxo_/) },
    });
    const caller = await connect(daemon.url, 'w-owner', tokenIn(entry.headers.Authorization));
    expect(await caller.tools()).toContain('publish');
    const [first, tokens] = [bytes(claude), daemon.tokens.list().length];
    const again = await run('connect', 'claude');
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing was changed') });
    expect(bytes(claude)).toBe(first);
    expect(daemon.tokens.list()).toHaveLength(tokens);
  });

  test('leaves everything else of the file as it is, byte for byte', async () => {
    const { run, claude } = await setUp();
    const before =
      '{\n  "numStartups": 12,\n  "big": 12345678901234567890,\n  "mcpServers": {\n    "github": {"type":"http", "url":"https://x"}\n  },\n  "projects": {}\n}\n';
    writeFileSync(claude, before);
    await run('connect', 'claude');
    const cut = bytes(claude).replace(/,\n {4}"helix-org": \{[\s\S]*?\n {4}\}/, '');
    expect(cut).toBe(before);
    await run('disconnect', 'claude');
    expect(bytes(claude)).toBe(before);
  });

  test('disconnect ends the token; a second run has nothing to do', async () => {
    const { daemon, run, claude } = await setUp();
    await run('connect', 'claude');
    const token = tokenIn(bytes(claude));
    expect(holds(daemon, token)).toMatchObject({ workerId: 'w-owner' });
    expect(await run('disconnect', 'claude')).toMatchObject({ code: 0 });
    expect(holds(daemon, token)).toBeUndefined();
    const rest = bytes(claude);
    expect(await run('disconnect', 'claude')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('nothing was changed'),
    });
    expect(bytes(claude)).toBe(rest);
  });

  test('a token that no longer holds is replaced, in the same place', async () => {
    const { daemon, run, claude } = await setUp();
    await run('connect', 'claude');
    const old = tokenIn(bytes(claude));
    daemon.tokens.revoke(holds(daemon, old)?.tokenId ?? '');
    await run('connect', 'claude');
    const fresh = tokenIn(bytes(claude));
    expect(fresh).not.toBe(old);
    expect(holds(daemon, fresh)).toMatchObject({ workerId: 'w-owner' });
    expect(Object.keys(parse(claude).mcpServers)).toEqual(['helix-org']);
  });

  test('takes a Worker, a name and a URL; the token is that Worker’s', async () => {
    const { daemon, run, claude } = await setUp();
    await daemon.journal.commit('w-owner', {
      type: 'HireWorker',
      workerId: 'w-ann',
      positionId: 'p-root',
      kind: 'human',
      identity: 'Ann',
      grants: [],
      streams: [],
    });
    await run('connect', 'claude', '--worker', 'w-ann', '--server-url', 'http://org.example:81/');
    await run('connect', 'claude', '--worker', 'w-ann', '--name', 'me');
    const { mcpServers } = parse(claude);
    expect(mcpServers).toMatchObject({
      'helix-org-ann': { url: 'http://org.example:81/workers/w-ann/mcp' },
      me: { url: `${daemon.url}/workers/w-ann/mcp` },
    });
    expect(holds(daemon, tokenIn(mcpServers.me.headers.Authorization))).toMatchObject({ workerId: 'w-ann' });
    // Under another Worker's name the former token ends.
    await run('connect', 'claude', '--name', 'me');
    expect(holds(daemon, tokenIn(mcpServers.me.headers.Authorization))).toBeUndefined();
    expect(await run('connect', 'claude', '--worker', 'w-nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('record not found'),
    });
  });

  test('the token is in no argument of any program, and in no file that others read', async () => {
    const { home, daemon, claude } = await setUp();
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'claude'), `#!/bin/sh\necho "$@" >> '${home}/called'\n`);
    chmodSync(join(bin, 'claude'), 0o755);
    const env = { HOME: home, HELIX_ORG_HOME: daemon.dir, PATH: `${bin}:${process.env.PATH}` };
    expect(await cli(['connect', 'claude'], env)).toMatchObject({ code: 0 });
    expect(existsSync(join(home, 'called'))).toBe(false);
    expect(statSync(claude).mode & 0o777).toBe(0o600);
    chmodSync(claude, 0o644);
    await cli(['disconnect', 'claude'], env);
    const again = await cli(['connect', 'claude'], env);
    expect(again.stderr).toContain('can be read by others');
    expect(statSync(claude).mode & 0o777).toBe(0o644);
    expect(`${again.stdout}${again.stderr}`).not.toMatch(/hxo_/);
  });

  test('scope local files it under the project, scope project names the token instead of writing it', async () => {
    const { home, daemon, claude } = await setUp();
    const repository = join(home, 'repository');
    mkdirSync(join(repository, '.git'), { recursive: true });
    mkdirSync(join(repository, 'sub'));
    const options = { env: { HOME: home, HELIX_ORG_HOME: daemon.dir }, cwd: join(repository, 'sub') };
    expect(await runCli(['connect', 'claude', '--scope', 'local'], options)).toMatchObject({ code: 0 });
    expect(parse(claude).projects[realpathSync(repository)].mcpServers['helix-org']).toMatchObject({ type: 'http' });
    const shared = await runCli(['connect', 'claude', '--scope', 'project'], options);
    expect(shared).toMatchObject({ code: 0, stderr: expect.stringContaining('HELIX_ORG_TOKEN') });
    expect(parse(join(repository, 'sub/.mcp.json')).mcpServers['helix-org'].headers).toEqual({
      Authorization: 'Bearer ${HELIX_ORG_TOKEN}',
    });
  });

  test('a file that is no JSON, and another server of that name, are left alone', async () => {
    const { daemon, run, claude } = await setUp();
    const tokens = daemon.tokens.list().length;
    for (const [text, sentence] of [
      ['{"a": ', 'is left as it is'],
      ['{"mcpServers": []}', 'mcpServers is no object'],
      ['{"mcpServers": {"helix-org": {"command": "x"}}}', 'has another MCP server called helix-org'],
    ] as const) {
      writeFileSync(claude, text);
      for (const command of ['connect', 'disconnect'])
        expect(await run(command, 'claude')).toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) });
      expect(bytes(claude)).toBe(text);
    }
    expect(daemon.tokens.list()).toHaveLength(tokens);
  });

  test('a configuration that is a link to a file elsewhere stays one', async () => {
    const { run, home, claude } = await setUp();
    const kept = join(home, 'dotfiles.json');
    writeFileSync(kept, '{}\n');
    symlinkSync(kept, claude);
    await run('connect', 'claude');
    expect(lstatSync(claude).isSymbolicLink()).toBe(true);
    expect(parse(kept).mcpServers['helix-org']).toBeDefined();
  });

  test('CLAUDE_CONFIG_DIR is where Claude Code has it then', async () => {
    const { daemon, home } = await setUp();
    const directory = join(home, 'elsewhere');
    await cli(['connect', 'claude'], { HOME: home, HELIX_ORG_HOME: daemon.dir, CLAUDE_CONFIG_DIR: directory });
    expect(parse(join(directory, '.claude.json')).mcpServers['helix-org']).toBeDefined();
  });
});

describe('connect codex', () => {
  test('adds a table of its own and leaves the rest, again and again', async () => {
    const { daemon, home, run } = await setUp();
    const file = join(home, '.codex/config.toml');
    mkdirSync(join(home, '.codex'));
    const before = 'model = "gpt" # mine\nnotify = [\n  ["x"],\n]\n\n[mcp_servers.other]\ncommand = "y"\n';
    writeFileSync(file, before, { mode: 0o600 });
    expect(await run('connect', 'codex')).toMatchObject({ code: 0 });
    const once = bytes(file);
    expect(once).toBe(
      `${before}\n[mcp_servers.helix-org]\nurl = "${daemon.url}/workers/w-owner/mcp"\nhttp_headers = { Authorization = "Bearer ${tokenIn(once)}" }\n`,
    );
    expect(holds(daemon, tokenIn(once))).toMatchObject({ workerId: 'w-owner' });
    expect(await run('connect', 'codex')).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing') });
    expect(bytes(file)).toBe(once);
    expect(await run('disconnect', 'codex')).toMatchObject({ code: 0 });
    expect(bytes(file)).toBe(before);
    expect(holds(daemon, tokenIn(once))).toBeUndefined();
  });

  test('has one scope, and honours CODEX_HOME', async () => {
    const { daemon, home, run } = await setUp();
    expect(await run('connect', 'codex', '--scope', 'project')).toMatchObject({ code: 1 });
    await cli(['connect', 'codex'], { HOME: home, HELIX_ORG_HOME: daemon.dir, CODEX_HOME: join(home, 'c') });
    expect(bytes(join(home, 'c/config.toml'))).toContain('[mcp_servers.helix-org]');
    expect(statSync(join(home, 'c/config.toml')).mode & 0o777).toBe(0o600);
  });

  test('leaves alone what it cannot read', async () => {
    const { home, run } = await setUp();
    mkdirSync(join(home, '.codex'));
    for (const text of [
      'a = "',
      'mcp_servers = { helix-org = { url = "x" } }\n',
      '[mcp_servers.helix-org]\ncommand = "x"\n',
    ]) {
      writeFileSync(join(home, '.codex/config.toml'), text);
      expect(await run('connect', 'codex')).toMatchObject({ code: 1, stderr: expect.stringContaining('config.toml') });
      expect(bytes(join(home, '.codex/config.toml'))).toBe(text);
    }
  });
});

describe('connect --print', () => {
  test('prints what any client needs, with a token that works, and changes no file', async () => {
    const { daemon, home, run } = await setUp();
    const { code, stdout, stderr } = await run('connect', '--print');
    expect(code).toBe(0);
    const { url, headers } = JSON.parse(stdout).mcpServers['helix-org'];
    expect(url).toBe(`${daemon.url}/workers/w-owner/mcp`);
    const caller = await connect(daemon.url, 'w-owner', tokenIn(headers.Authorization));
    expect(await caller.tools()).toContain('dm');
    expect(stderr).toMatch(/helix-org token revoke t-/);
    expect((await run('connect', 'claude', '--print')).stdout).toContain('"mcpServers"');
    expect((await run('connect', 'codex', '--print')).stdout).toMatch(/^\[mcp_servers\.helix-org\]\nurl = "http/);
    expect(existsSync(join(home, '.claude.json')) || existsSync(join(home, '.codex'))).toBe(false);
  });

  test('an unknown client is refused with the known ones', async () => {
    const { run } = await setUp();
    expect(await run('connect', 'vim')).toMatchObject({ code: 1, stderr: expect.stringContaining('claude, codex') });
    expect(await run('connect', 'claude', '--name', 'a b')).toMatchObject({ code: 2 });
    expect(await run('connect', 'claude', '--scope', 'all')).toMatchObject({ code: 2 });
    expect(await run('disconnect')).toMatchObject({ code: 2 });
  });
});

describe('bootstrap --install-claude-mcp', () => {
  test('A12: enters the endpoint under the given name, scope and URL, with or without a daemon; twice is once', async () => {
    const home = temporaryDirectory();
    const project = temporaryDirectory();
    const options = { env: { HOME: home, HELIX_ORG_HOME: join(home, 'data') }, cwd: project };
    const install = ['bootstrap', '--install-claude-mcp', '--claude-mcp-name', 'my-org', '--server-url', 'http://h:1/'];
    expect(await runCli(install, options)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"workerId": "w-owner"'),
    });
    const file = join(home, '.claude.json');
    expect(parse(file).mcpServers['my-org']).toMatchObject({ type: 'http', url: 'http://h:1/workers/w-owner/mcp' });
    const first = bytes(file);
    expect(await runCli(install, options)).toMatchObject({ code: 0 });
    expect(bytes(file)).toBe(first);
    expect(await runCli([...install, '--claude-mcp-scope', 'project'], options)).toMatchObject({ code: 0 });
    expect(parse(join(project, '.mcp.json')).mcpServers['my-org'].url).toBe('http://h:1/workers/w-owner/mcp');
    expect(bytes(file)).toBe(first);
  });

  test('A12: without any of those, as connect claude does', async () => {
    const { daemon, run, claude } = await setUp();
    expect(await run('bootstrap', '--install-claude-mcp')).toMatchObject({ code: 0 });
    expect(parse(claude).mcpServers['helix-org'].url).toBe(`${daemon.url}/workers/w-owner/mcp`);
    const first = bytes(claude);
    expect(await run('connect', 'claude')).toMatchObject({ stderr: expect.stringContaining('nothing was changed') });
    expect(bytes(claude)).toBe(first);
  });
});
