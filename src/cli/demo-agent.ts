// What plays the Workers of a demo, and whether everything is there that it needs to run for real.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { examineClaude } from '../agents/claude-check.ts';
import { findProgram } from '../agents/program.ts';
import { nearest, OrgError } from '../domain/errors.ts';
import { settingsOfEnvironment, variableOf } from './setting-overrides.ts';

/** What a demo needs beside the real agent to run with `--live`. `what` says what it is for and how to get it. */
export type Need = { what: string } & (
  | { program: string }
  | { variable: string }
  /** Given by environment, as in `HELIX_ORG_TRANSPORT_GITHUB`. */
  | { setting: string }
  /** The address by which the outside reaches this machine. */
  | { option: '--public-url' }
);

export type DemoAgent = 'scripted' | 'claude';

export const DEMO_AGENTS: DemoAgent[] = ['scripted', 'claude'];

/** How `serve` is told what plays Workers. @param folder of the demo */
export function agentArguments(agent: DemoAgent, command: string[] | undefined, folder: string): string[] {
  if (command) return ['--agent-command', JSON.stringify(command)];
  switch (agent) {
    case 'claude':
      return ['--agent', 'claude'];
    case 'scripted': {
      const own = join(folder, 'agent.mjs');
      const shared = [join(folder, '..', 'scripted-agent.mjs'), join(folder, 'agents')];
      return ['--agent-command', JSON.stringify([process.execPath, ...(existsSync(own) ? [own] : shared)])];
    }
  }
}

/** What is missing, a sentence each, with what to do about it. Nothing is sent to anybody. */
export async function missingFor(
  needs: Need[],
  { agent, publicUrl }: { agent: DemoAgent; publicUrl: string | undefined },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string[]> {
  const problems: string[] = [];
  const settings = settingsFrom(environment, problems);
  if (agent === 'claude') {
    const bin = typeof settings['claude.bin'] === 'string' ? settings['claude.bin'] : 'claude';
    const login = Object.fromEntries(Object.entries(environment).flatMap(([k, v]) => (v ? [[k, v]] : [])));
    const report = await examineClaude(bin, login);
    problems.push(...report.problems.map(({ sentence, fix }) => `${sentence} ${fix}`));
    // It has a data directory of its own, where nothing that was stored for another organisation counts.
    if (report.found === null) problems.push('For a demo, HELIX_ORG_CLAUDE_BIN=/path/to/claude says where it is.');
    if (!report.loggedIn) problems.push(DEMO_LOGIN);
  }
  for (const need of needs) {
    if ('program' in need) {
      const found = await findProgram(need.program, environment.PATH ?? '');
      if ('problem' in found) problems.push(`The program ${need.program} is missing: ${need.what}`);
    } else if ('variable' in need) {
      if (!environment[need.variable]) problems.push(`${need.variable} is not set: ${need.what}`);
    } else if ('setting' in need) {
      if (settings[need.setting] === undefined) problems.push(`${variableOf(need.setting)} is not set: ${need.what}`);
    } else if (!publicUrl) problems.push(`${need.option} is not given: ${need.what}`);
  }
  return problems;
}

const DEMO_LOGIN =
  'For a demo, the environment logs it in: CLAUDE_CODE_OAUTH_TOKEN, which `claude setup-token` prints, or ANTHROPIC_API_KEY; ' +
  'what `helix-org login` stored belongs to another organisation.';

function settingsFrom(environment: NodeJS.ProcessEnv, problems: string[]): Record<string, unknown> {
  try {
    return settingsOfEnvironment(environment).settings;
  } catch (error) {
    if (!(error instanceof OrgError)) throw error;
    problems.push(error.message);
    return {};
  }
}

/** @returns the sentence that refuses it */
export function unknownDemo(name: string, known: string[]): string {
  const near = nearest(name, known);
  return `There is no demo "${name}"${near ? `; did you mean ${near}?` : '.'} Demos: ${known.join(', ')}.\n`;
}
