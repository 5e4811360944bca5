// The agents' own set-up commands, run in a home that is ours and gone afterwards, so that nobody's own login is read or changed.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { AUTH_VARIABLE } from '../agents/codex-login.ts';
import { findProgram } from '../agents/program.ts';
import { invalid } from '../domain/errors.ts';
import type { LoginAgent } from './agent-logins.ts';

type Login = Record<string, string>;

/** What a run's environment has of its own; a set-up command must not find another login there. */
const LOGIN_VARIABLE = /^(ANTHROPIC|CLAUDE|CODEX|OPENAI)_/;
/** A token, a key; nothing with blanks in it. */
const TOKEN = /^[\x21-\x7e]{16,8192}$/;
const CODEX_CONFIG = 'cli_auth_credentials_store = "file"\n';

/**
 * Lets somebody log in at the terminal. @param say what they are told @throws OrgError invalid when it did not work
 */
export async function setUpLogin(agent: LoginAgent, bin: string, say: (text: string) => void): Promise<Login> {
  const program = await findProgram(bin, process.env.PATH ?? '');
  if ('problem' in program)
    throw invalid(`${agent}.bin names ${JSON.stringify(bin)}: ${program.problem}. Install it, or set where it is.`);
  const home = await mkdtemp(join(tmpdir(), 'helix-login-'));
  try {
    switch (agent) {
      case 'claude':
        await runSetup(program.file, ['setup-token'], { CLAUDE_CONFIG_DIR: home });
        say('Paste the token that it printed (it is not shown): ');
        return parseLogin('claude', await askHidden());
      case 'codex': {
        await writeFile(join(home, 'config.toml'), CODEX_CONFIG, { mode: 0o600 });
        await runSetup(program.file, ['login'], { CODEX_HOME: home });
        const auth = await readFile(join(home, 'auth.json'), 'utf8').catch(() => {
          throw invalid('Codex wrote no auth.json, so nobody is logged in; run it again.');
        });
        return parseLogin('codex', auth);
      }
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/**
 * A login as it was pasted: for claude a token of `claude setup-token` or an API key, for codex an API key, an access token
 * or a whole auth.json. @throws OrgError invalid
 */
export function parseLogin(agent: LoginAgent, pasted: string, isApiKey = false): Login {
  const text = pasted.trim();
  if (agent === 'codex' && text.startsWith('{')) return parseAuth(text);
  if (!TOKEN.test(text)) throw invalid('That is no token and no key: one word of 16 characters or more is expected.');
  switch (agent) {
    case 'claude':
      return isApiKey || text.startsWith('sk-ant-api')
        ? { ANTHROPIC_API_KEY: text }
        : { CLAUDE_CODE_OAUTH_TOKEN: text };
    case 'codex':
      return isApiKey || text.startsWith('sk-') ? { CODEX_API_KEY: text } : { CODEX_ACCESS_TOKEN: text };
  }
}

function parseAuth(text: string): Login {
  const { tokens, OPENAI_API_KEY: key } = (parsed(text) ?? {}) as { tokens?: unknown; OPENAI_API_KEY?: unknown };
  if (typeof tokens === 'object' && tokens !== null) return { [AUTH_VARIABLE]: text };
  if (typeof key === 'string' && key !== '') return { CODEX_API_KEY: key };
  throw invalid('That is no auth.json of Codex: it has neither tokens nor a key.');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function runSetup(program: string, args: string[], own: Record<string, string>): Promise<void> {
  const inherited = Object.entries(process.env).filter(([name]) => !LOGIN_VARIABLE.test(name));
  const child = spawn(program, args, { stdio: 'inherit', env: { ...Object.fromEntries(inherited), ...own } });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(invalid(`${program} cannot be started: ${error.message}.`)));
    child.once('exit', (code, signal) => {
      if (code === 0) return resolve();
      reject(
        invalid(`${[program, ...args].join(' ')} ended with ${signal ?? `exit code ${code}`}; nothing is stored.`),
      );
    });
  });
}

/** A line that is typed without being shown. */
async function askHidden(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: process.stdin.isTTY === true });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
  }
}
