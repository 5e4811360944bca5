// Claude Code in this terminal: found, made ready, run, and what it could not do said in a sentence.
import { examineClaude } from '../agents/claude-check.ts';
import {
  prepareTerminal,
  type TerminalSeat,
  type TerminalTalk,
  terminalArguments,
  terminalEnvironment,
} from '../agents/claude-terminal.ts';
import { confine } from '../agents/confinement.ts';
import { findProgram } from '../agents/program.ts';
import { conflict } from '../domain/errors.ts';
import { loginVariables } from './agent-logins.ts';
import type { TerminalGrant } from './chat-seat.ts';
import type { Cli } from './command.ts';
import { exitCodeOf, type HandedBack, handOver } from './hand-over.ts';

type Asked = { claudeBin?: string; model?: string; serverUrl?: string; once: boolean; prompt?: string };

/** @returns its exit code, or that of the signal that ended it @throws OrgError when it cannot be started */
export async function runClaude(cli: Cli, grant: TerminalGrant, asked: Asked): Promise<number> {
  const { environment } = cli;
  const bin = asked.claudeBin ?? grant.bin;
  const found = await findProgram(bin, environment.PATH ?? '');
  if ('problem' in found)
    throw conflict(
      `locate claude ${JSON.stringify(bin)}: ${found.problem}. Install Claude Code (\`npm install -g @anthropic-ai/claude-code\`), or say where it is: --claude-bin, or helix-org config set claude.bin /path/to/claude`,
    );
  const seat = seatFor(grant, asked, environment);
  await prepareTerminal(seat);
  const { folder, workerId } = seat;
  const command = [found.file, ...terminalArguments(seat, talkOf(asked), grant.session)];
  const confined = await confine({ folder, workerId, confinement: grant.confinement }, command);
  if ('problem' in confined) throw conflict(`${confined.problem}.`);
  const [program = '', ...args] = confined.command;
  const ended = await handOver({
    program,
    args,
    cwd: folder,
    environment: terminalEnvironment(seat, environment),
    ...(confined.user ? { user: confined.user } : {}),
  }).catch((error: Error) => {
    throw conflict(`${program} could not be started: ${error.message}`);
  });
  await explain(cli, found.file, ended);
  return exitCodeOf(ended);
}

/** What is stored logs in; else what the person has, and then what the daemon has. */
function seatFor(
  { seat, daemonLogin }: TerminalGrant,
  { model, serverUrl }: Asked,
  person: NodeJS.ProcessEnv,
): TerminalSeat {
  const own = loginVariables('claude', person);
  const url = serverUrl === undefined ? seat.mcp.url : `${serverUrl.replace(/\/$/, '')}/workers/${seat.workerId}/mcp`;
  return {
    ...seat,
    login: { ...(Object.keys(own).length > 0 ? own : daemonLogin), ...seat.login },
    mcp: { ...seat.mcp, url },
    ...(model === undefined ? {} : { model }),
  };
}

/** What begins with a dash would be taken for an option, so it goes the other way. */
function talkOf({ once, prompt }: Asked): TerminalTalk {
  if (!once) return { kind: 'person' };
  return prompt === undefined
    ? { kind: 'once' }
    : { kind: 'once', prompt: prompt.startsWith('-') ? ` ${prompt}` : prompt };
}

/** An end that the program itself had no chance to explain. */
async function explain(cli: Cli, file: string, { code, signal }: HandedBack): Promise<void> {
  if (signal !== null) {
    cli.err(`Claude Code was ended by ${signal}; \`helix-org chat\` goes on where it was.\n`);
    return;
  }
  if (code === 0) return;
  const { problems } = await examineClaude(file, { ANTHROPIC_API_KEY: 'not asked' });
  for (const { sentence, fix } of problems) cli.err(`${sentence} ${fix}\n`);
}
