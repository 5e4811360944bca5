// What was chosen for one Worker of how it is played: the agent's kind, its model, its limits. What is absent is as the
// settings say.
import { conflict, forbidden, invalid } from './errors.ts';
import { OWNER } from './ids.ts';
import type { Context, DomainEvent, Org } from './org.ts';
import { requireWorker, type WorkerKind } from './worker.ts';

/** The kinds of agents there are. */
export const AGENT_KINDS = ['claude', 'codex', 'command'] as const;
export const AGENT_EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export const AGENT_CONTEXTS = ['fresh', 'resume'] as const;

/** A week. */
const RUN_SECONDS_MAX = 604_800;
const COMMAND_WORDS_MAX = 100;
const COMMAND_CHARACTERS_MAX = 10_000;
/** Models are named in arguments and files of many programs. */
const MODEL = /^[A-Za-z0-9][\w.:/@+[\]-]{0,199}$/;

/** What was chosen for one Worker; what is absent is as the settings say. */
export type WorkerAgent = {
  kind?: string;
  /** Of the kind `command`: the program and its arguments. */
  command?: string[];
  model?: string;
  effort?: string;
  /** After so many seconds a run is stopped. */
  runSeconds?: number;
  context?: 'fresh' | 'resume';
};

/** A change of it: what is null goes back to the settings, what is absent stays. */
export type AgentChange = { [Name in keyof WorkerAgent]?: WorkerAgent[Name] | null };

export type WorkerAgentCommand = { type: 'UpdateAgent'; workerId: string; agent: AgentChange };

export type WorkerAgentEvent = { type: 'AgentUpdated'; workerId: string; agent: WorkerAgent };

/** @throws OrgError when it does not fit, or when the actor may not choose it */
export function chooseAgent(before: WorkerAgent, changed: AgentChange, actor: string): WorkerAgent {
  checkParts(changed);
  if (actor !== OWNER && changesCommand(before, changed))
    throw forbidden(
      `A command runs any program as the user of the operating system, so only the owner chooses it; ${actor} can choose the kind, the model and the limits.`,
    );
  const kind = changed.kind === undefined && changed.command ? 'command' : changed.kind;
  if (changed.command && kind !== 'command')
    throw invalid(`agent.command belongs to the kind command, not to ${kind ?? 'the kind that is set'}.`);
  // What was chosen for one kind means nothing to another.
  const isOther = kind !== undefined && (kind ?? undefined) !== before.kind;
  const { command: _, model: _model, effort: _effort, ...common } = before;
  return present({ ...(isOther ? common : before), ...changed, ...(kind === undefined ? {} : { kind }) });
}

const changesCommand = (before: WorkerAgent, { command }: AgentChange) =>
  command !== undefined && JSON.stringify(command) !== JSON.stringify(before.command ?? null);

export function checkHiredAgent(kind: WorkerKind, agent: AgentChange, actor: string): WorkerAgent {
  if (kind !== 'ai') throw invalid('Only AI Workers are played by an agent; leave agent out for a person.');
  return chooseAgent({}, agent, actor);
}

export function updateAgent(org: Org, { workerId, agent }: WorkerAgentCommand, { actor }: Context): DomainEvent[] {
  const worker = requireWorker(org, workerId);
  if (worker.kind !== 'ai') throw conflict(`Worker ${workerId} is human; only AI Workers are played by an agent.`);
  const chosen = chooseAgent(worker.agent, agent, actor);
  return isSame(chosen, worker.agent) ? [] : [{ type: 'AgentUpdated', workerId, agent: chosen }];
}

function checkParts({ kind, command, model, effort, runSeconds, context }: AgentChange): void {
  if (kind) oneOf('agent kind', kind, AGENT_KINDS);
  if (effort) oneOf('agent effort', effort, AGENT_EFFORTS);
  if (context) oneOf('agent context', context, AGENT_CONTEXTS);
  if (typeof model === 'string' && !MODEL.test(model))
    throw invalid(`agent.model ${JSON.stringify(model.slice(0, 80))} is no name of a model.`);
  if (command) checkCommand(command);
  if (
    typeof runSeconds === 'number' &&
    !(Number.isInteger(runSeconds) && runSeconds >= 1 && runSeconds <= RUN_SECONDS_MAX)
  )
    throw invalid(`agent.runSeconds is a whole number of seconds from 1 to ${RUN_SECONDS_MAX}.`);
}

function oneOf(name: string, value: string, valid: readonly string[]): void {
  if (valid.includes(value)) return;
  throw invalid(`unknown ${name} ${JSON.stringify(value.slice(0, 80))} (valid: ${valid.join(', ')})`);
}

function checkCommand(command: string[]): void {
  const [program = ''] = command;
  if (program.trim() === '') throw invalid('agent.command names a program first, then its arguments.');
  const isLong = command.length > COMMAND_WORDS_MAX || command.join(' ').length > COMMAND_CHARACTERS_MAX;
  if (isLong) throw invalid('agent.command is too long; put it into a script and name that.');
  if (command.some((word) => word.includes('\0'))) throw invalid('agent.command must not hold a NUL.');
  // Runs happen in each Worker's folder, where somebody else could put a program.
  if (program.includes('/') && !program.startsWith('/'))
    throw invalid(`agent.command names ${JSON.stringify(program.slice(0, 80))}; give its whole path.`);
}

/** In one order, and only what was chosen. */
function present(agent: AgentChange): WorkerAgent {
  const { kind, command, model, effort, runSeconds, context } = agent;
  const entries = Object.entries({ kind, command, model, effort, runSeconds, context });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null)) as WorkerAgent;
}

const isSame = (one: WorkerAgent, other: WorkerAgent) => JSON.stringify(one) === JSON.stringify(other);
