// What a program that plays a Worker gets to see of the environment: an allow-list, so that no secret of the daemon leaks.
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentRun } from '../domain/agent.ts';

/** The mark by which every process of an activation is found again, whatever session it moved to. */
export const ACTIVATION_VARIABLE = 'HELIX_ACTIVATION_ID';

const PASSED_ON =
  /^(PATH|LANG|LC_.*|TZ|TMPDIR|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/;

/**
 * The whole environment of the program: what is passed on from `base` (the daemon's), a HOME of the Worker's own, what the
 * run adds, and the HELIX_ variables, which nothing can replace.
 */
export function agentEnvironment(run: AgentRun, base: NodeJS.ProcessEnv): Record<string, string> {
  return {
    ...baseEnvironment(run, base),
    HELIX_MCP_URL: run.mcp.url,
    HELIX_MCP_TOKEN: run.mcp.token,
    HELIX_WORKER_ID: run.workerId,
    [ACTIVATION_VARIABLE]: run.activationId,
    HELIX_ATTEMPT: String(run.attempt),
  };
}

/** What is passed on, a HOME, and what a Worker adds. */
export function baseEnvironment(
  { folder, environment, mcp }: Pick<AgentRun, 'folder' | 'environment' | 'mcp'>,
  base: NodeJS.ProcessEnv,
): Record<string, string> {
  const passedOn = Object.entries(base).filter((entry): entry is [string, string] => PASSED_ON.test(entry[0]));
  const all = { ...Object.fromEntries(passedOn), HOME: homeOf(folder), ...environment };
  return withoutProxyFor(new URL(mcp.url).hostname, all);
}

/** Makes the Worker's HOME, for nobody else to read. Fails when the Worker has put something else in its place. */
export function ensureHome(folder: string): void {
  const home = homeOf(folder);
  // Here and now: two calls of the system cost less than two ways through the thread pool, for which somebody waits.
  const found = lstatSync(home, { throwIfNoEntry: false });
  if (!found) mkdirSync(home, { mode: 0o700 });
  else if (!found.isDirectory()) throw new Error(`${home} is not a directory`);
}

const homeOf = (folder: string) => join(folder, '.home');

/** A proxy must never see calls to the daemon: it could not reach it, and would read the token. */
function withoutProxyFor(host: string, environment: Record<string, string>): Record<string, string> {
  if (!Object.keys(environment).some((name) => /^https?_proxy$/i.test(name))) return environment;
  const name = host.replace(/^\[|\]$/g, '');
  const exempt = [environment.no_proxy ?? environment.NO_PROXY, name].filter(Boolean).join(',');
  return { ...environment, no_proxy: exempt, NO_PROXY: exempt };
}
