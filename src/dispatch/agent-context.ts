// Whether a run goes on in an earlier session of the Worker's agent: never while it was not asked for, after a failure, or
// when the Worker has become somebody else.
import { createHash } from 'node:crypto';
import type { Agent } from '../domain/agent.ts';
import type { Org } from '../domain/org.ts';
import type { WorkerAgent } from '../domain/worker-agent.ts';
import type { AgentSession, AgentSessions } from '../store/agent-sessions.ts';
import { toView } from '../store/event-reader.ts';
import type { Batch } from '../store/inbox.ts';
import type { Queries } from '../store/queries.ts';
import type { WorkerTexts } from './folder.ts';

/** What a run knows of earlier ones. */
export type AgentContext = {
  /** Kept after the run, when that went well. */
  kept?: Omit<AgentSession, 'session' | 'activationId' | 'at'>;
  /** The agent's session that goes on. */
  resume?: string;
  /** What happened since, for the prompt. */
  since?: string;
};

export type AgentContextDeps = {
  agent: Pick<Agent, 'kind' | 'canResume'>;
  sessions: AgentSessions;
  queries: Queries;
  org: Org;
  policy: string;
};

type Asked = { batch: Batch; texts: WorkerTexts; context: WorkerAgent['context'] };

export async function agentContext(
  { agent, sessions, queries, org, policy }: AgentContextDeps,
  { batch, texts, context }: Asked,
): Promise<AgentContext> {
  if (context !== 'resume' || !agent.canResume) return {};
  const { workerId, attempt } = batch;
  const worker = queries.worker(workerId);
  const kept = {
    worker: workerId,
    conversation: conversationOf(batch, org),
    kind: agent.kind,
    texts: textsKey(texts, worker?.identitySeq ?? 0, policy),
    grantsSeq: worker?.grantsSeq ?? 0,
  };
  const known = sessions.find(workerId, kept.conversation);
  if (!known || attempt > 1 || known.kind !== kept.kind || known.texts !== kept.texts) return { kept };
  if (!(await agent.canResume(texts.folder, known.session))) return { kept };
  return { kept, resume: known.session, since: sinceText(known, kept.grantsSeq, queries) };
}

/** All of what a Worker does is one conversation, except with people outside: there each thread is one. */
function conversationOf({ triggers }: Batch, org: Org): string {
  const first = triggers[0];
  const view = first && toView(first);
  if (!view || org.streams.get(view.streamId)?.transport.kind !== 'email') return '';
  const thread = view.message?.thread_id ?? view.message?.message_id ?? view.id;
  return `${view.streamId} ${thread}`;
}

/** Changes with every change of what the Worker is told to be. */
function textsKey({ roles }: WorkerTexts, identitySeq: number, policy: string): string {
  const seqs = roles.map(({ positionId, seq }) => `${positionId}:${seq}`);
  return createHash('sha256')
    .update([...seqs, identitySeq, policy].join('\n'))
    .digest('hex');
}

const ACTIVATIONS_COUNTED = 100;

function sinceText({ activationId, at, worker, grantsSeq }: AgentSession, grantsNow: number, queries: Queries): string {
  const runs = queries.activationsOf(worker, ACTIVATIONS_COUNTED);
  const before = runs.findIndex(({ id }) => id === activationId);
  const others = before < 0 ? runs.length : before;
  return [
    `This goes on in your session that was left at ${at} (activation ${activationId}). Each activation is a single turn: act, then exit.`,
    ...(others > 0
      ? [
          `Since then you ran ${others === ACTIVATIONS_COUNTED ? `${others} times or more` : `${others} more time${others === 1 ? '' : 's'}`} outside of this session; helix-log.md and your folder say what you did.`,
        ]
      : []),
    ...(grantsSeq === grantsNow ? [] : ['Your tools have changed since: those you are offered now are yours.']),
  ].join('\n');
}
