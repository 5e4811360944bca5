import { lstatSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentEnvironment, ensureHome } from '../../src/agents/agent-environment.ts';
import { createFolder, createRun } from './play.ts';

const folder = '/org/w-ada';
const helix = {
  HELIX_MCP_URL: 'http://127.0.0.1:8080/workers/w-ada/mcp',
  HELIX_MCP_TOKEN: 'the-token',
  HELIX_WORKER_ID: 'w-ada',
  HELIX_ACTIVATION_ID: 'a-1',
  HELIX_ATTEMPT: '2',
};
const run = (environment: Record<string, string> = {}) =>
  createRun({ folder, environment, activationId: 'a-1', attempt: 2 });

test('passes on what programs need and nothing else', () => {
  const needed = {
    PATH: '/bin',
    LANG: 'de_DE.UTF-8',
    LC_ALL: 'C',
    LC_TIME: 'C',
    TZ: 'UTC',
    TMPDIR: '/tmp',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    SSL_CERT_FILE: '/ca.pem',
  };
  const secret = {
    HOME: '/root',
    USER: 'root',
    NODE_OPTIONS: '--inspect',
    AWS_SECRET_ACCESS_KEY: 'k',
    GH_TOKEN: 'k',
    ANTHROPIC_API_KEY: 'k',
    CLAUDE_CODE_ENTRYPOINT: 'cli',
    CLAUDECODE: '1',
    HELIX_ORG_HOME: '/org',
    HELIX_MCP_TOKEN: 'of another run',
    MYPATH: '/x',
    PATH2: '/x',
  };
  expect(agentEnvironment(run(), { ...needed, ...secret })).toEqual({ ...needed, HOME: '/org/w-ada/.home', ...helix });
});

test('adds what the run brings, but lets nothing replace a HELIX_ variable', () => {
  const environment = { GH_TOKEN: 'its own', LANG: 'C', HELIX_WORKER_ID: 'w-owner' };
  expect(agentEnvironment(run(environment), { LANG: 'de_DE.UTF-8' })).toEqual({
    GH_TOKEN: 'its own',
    LANG: 'C',
    HOME: '/org/w-ada/.home',
    ...helix,
  });
});

test('keeps calls to the daemon away from a proxy', () => {
  const proxied = agentEnvironment(run(), {
    https_proxy: 'http://proxy',
    HTTP_PROXY: 'http://proxy',
    no_proxy: 'a.example',
  });
  expect(proxied).toMatchObject({ no_proxy: 'a.example,127.0.0.1', NO_PROXY: 'a.example,127.0.0.1' });
  expect(proxied).toMatchObject({ https_proxy: 'http://proxy', HTTP_PROXY: 'http://proxy' });
  const ipv6 = createRun({ folder, mcp: { url: 'http://[::1]:8080/mcp', token: 't' } });
  expect(agentEnvironment(ipv6, { http_proxy: 'http://proxy' })).toMatchObject({ no_proxy: '::1', NO_PROXY: '::1' });
});

test('makes a HOME for nobody else to read, once', async () => {
  const worker = createFolder();
  ensureHome(worker);
  ensureHome(worker);
  expect(lstatSync(join(worker, '.home')).mode & 0o777).toBe(0o700);
});

test('refuses a HOME that was replaced by a link', async () => {
  const worker = createFolder();
  symlinkSync('/', join(worker, '.home'));
  expect(() => ensureHome(worker)).toThrow('is not a directory');
});
