// The real Claude Code and Codex, connected by our own command, played by scripted models. The programs are hundreds of
// megabytes; they are looked for where the tests of the agents install them.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type TestContext, test } from 'vitest';
import { cli, startTestDaemon } from '../support/daemon.ts';
import { anthropic, openai, openModel, type Script, type ScriptedModel } from './scripted-models.ts';

const bin =
  process.env.HELIX_REAL_AGENTS_BIN ?? fileURLToPath(new URL('../real-agents/node_modules/.bin', import.meta.url));

/** The path of an agent, or the test is skipped and says why. */
function agentOrSkip({ skip }: TestContext, name: string): string {
  const path = join(bin, name);
  if (!existsSync(path)) skip(`${name} is not installed; npm run test:agents installs it`);
  return path;
}

async function setUp() {
  const daemon = await startTestDaemon();
  const call = async (tool: string, args: object) => {
    const outcome = await daemon.door.call({ workerId: 'w-owner', via: 'cli' }, tool, args);
    if (outcome.kind !== 'ok') throw new Error(`${tool}: ${JSON.stringify(outcome)}`);
  };
  await call('create_role', { id: 'r-clerk', content: '# Role: Clerk' });
  await call('create_position', { id: 'p-clerk', roleId: 'r-clerk', parentId: 'p-root' });
  const grants = ['publish', 'read_events', 'get_role'];
  await call('hire_worker', { id: 'w-ann', positionId: 'p-clerk', kind: 'human', identityContent: 'Ann', grants });
  await call('create_stream', { id: 's-talk', name: 'Talk' });
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'helix-agent-')));
  const environment = { HOME: home, HELIX_ORG_HOME: daemon.dir };
  const bodies = () =>
    daemon.queries
      .events(['s-talk'], { limit: 10 })
      .map(({ body }) => body)
      .reverse();
  return { daemon, call, home, environment, bodies, helix: (...args: string[]) => cli(args, environment) };
}

type Ran = { code: number | null; said: string };

function run(program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<Ran> {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
}

/** publish, then publish again after it was revoked, then a tool that was never granted. */
function script(prefix: string, revoke: () => Promise<void>): Script {
  const publish = (body: string) => ({ tool: `${prefix}publish`, input: { streamId: 's-talk', body } });
  return {
    steps: [
      publish('first'),
      publish('after the revocation'),
      { tool: `${prefix}create_role`, input: { content: '# X' } },
    ],
    before: async (turn) => {
      if (turn === 1) await revoke();
    },
  };
}

/** What the model saw: a result, a refusal of what was revoked, a refusal of what it never had. */
function expectRightThings({ results }: ScriptedModel, bodies: string[], roles: Iterable<string>) {
  expect(results).toHaveLength(3);
  expect(results[0]).toContain('s-talk');
  expect(results[1]).toMatch(/does not hold publish|not offer|[Nn]o such tool|unsupported call|not found/);
  expect(results[2]).toMatch(/does not hold create_role|not offer|[Nn]o such tool|unsupported call|not found/);
  expect(bodies).toEqual(['first']);
  expect([...roles].sort()).toEqual(['r-clerk', 'r-owner']);
}

test('Claude Code lists, calls, loses a tool during a run, and never gets one it was not granted', async (context) => {
  const claude = agentOrSkip(context, 'claude');
  const { daemon, call, home, environment, bodies, helix } = await setUp();
  expect(await helix('connect', 'claude', '--worker', 'w-ann', '--name', 'helix')).toMatchObject({ code: 0 });
  const model = await openModel(
    anthropic,
    script('mcp__helix__', () => call('revoke_tool', { workerId: 'w-ann', toolName: 'publish' })),
  );
  const env = {
    ...environment,
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'scripted',
    ENABLE_TOOL_SEARCH: 'false',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
  const args = ['-p', 'Go.', '--output-format', 'stream-json', '--verbose', '--allowedTools', 'mcp__helix'];
  const { said } = await run(claude, args, env, home);
  await model.close();
  const ours = model.offered.filter((name) => name.startsWith('mcp__helix__')).sort();
  expect(ours, said).toEqual(['mcp__helix__get_role', 'mcp__helix__publish', 'mcp__helix__read_events']);
  expectRightThings(model, bodies(), daemon.journal.org.roles);
  // Whatever else Claude Code wrote into its file, our entry is as we would write it.
  expect(await helix('connect', 'claude', '--worker', 'w-ann', '--name', 'helix')).toMatchObject({
    stderr: expect.stringContaining('nothing was changed'),
  });
  rmSync(home, { recursive: true, force: true });
});

test('Claude Code finds what connect claude wrote, in every scope, and misses it after disconnect', async (context) => {
  const claude = agentOrSkip(context, 'claude');
  const { daemon, home, environment } = await setUp();
  const { runCli } = await import('../support/daemon.ts');
  const project = join(home, 'project');
  mkdirSync(join(project, '.git'), { recursive: true });
  mkdirSync(join(project, 'sub'));
  const cwd = join(project, 'sub');
  const token = daemon.tokens.create({ workerId: 'w-owner', label: 'test' }).token;
  const get = (name: string) =>
    run(claude, ['mcp', 'get', name], { ...environment, HELIX_ORG_TOKEN: token }, cwd).then(({ said }) => said);
  for (const scope of ['user', 'local']) {
    const name = `helix-${scope}`;
    const options = { env: environment, cwd };
    expect(await runCli(['connect', 'claude', '--name', name, '--scope', scope], options)).toMatchObject({ code: 0 });
    const said = await get(name);
    expect(said).toMatch(/Connected/);
    expect(said).toContain(`${daemon.url}/workers/w-owner/mcp`);
    expect(await runCli(['disconnect', 'claude', '--name', name, '--scope', scope], options)).toMatchObject({
      code: 0,
    });
    expect(await get(name)).not.toMatch(/Connected/);
  }
  rmSync(home, { recursive: true, force: true });
});

test('Codex lists, calls, loses a tool during a run, and never gets one it was not granted', async (context) => {
  const codex = agentOrSkip(context, 'codex');
  const { daemon, call, home, environment, bodies, helix } = await setUp();
  const model = await openModel(
    openai,
    script('mcp__helix/', () => call('revoke_tool', { workerId: 'w-ann', toolName: 'publish' })),
  );
  const config = join(home, '.codex/config.toml');
  mkdirSync(join(home, '.codex'));
  writeFileSync(
    config,
    `model = "scripted"\nmodel_provider = "scripted"\n\n[model_providers.scripted]\nname = "scripted"\nbase_url = "${model.url}/v1"\nwire_api = "responses"\nenv_key = "SCRIPTED_KEY"\n`,
  );
  expect(await helix('connect', 'codex', '--worker', 'w-ann', '--name', 'helix')).toMatchObject({ code: 0 });
  const written = readFileSync(config, 'utf8');
  const approve = 'mcp_servers.helix.default_tools_approval_mode="approve"';
  const args = ['exec', '--json', '--skip-git-repo-check', '-c', approve, 'Go.'];
  const { said } = await run(codex, args, { ...environment, SCRIPTED_KEY: 'x' }, home);
  await model.close();
  const ours = model.offered.filter((name) => name.startsWith('mcp__helix/')).sort();
  expect(ours, said).toEqual(['mcp__helix/get_role', 'mcp__helix/publish', 'mcp__helix/read_events']);
  expectRightThings(model, bodies(), daemon.journal.org.roles);
  expect(await helix('connect', 'codex', '--worker', 'w-ann', '--name', 'helix')).toMatchObject({
    stderr: expect.stringContaining('nothing was changed'),
  });
  expect(readFileSync(config, 'utf8')).toBe(written);
  rmSync(home, { recursive: true, force: true });
});
