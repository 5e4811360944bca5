// The start of a run: what it is given, and the record of that.
import type { AgentRun } from '../domain/agent.ts';
import type { Cause } from '../domain/entry.ts';
import type { Entry } from '../store/entries.ts';
import { toView } from '../store/event-reader.ts';
import type { Queries } from '../store/queries.ts';
import type { ActivationDeps, Played, RunContext } from './activation.ts';
import { type AgentContext, agentContext } from './agent-context.ts';
import type { WorkerTexts } from './folder.ts';
import type { EventWithFiles } from './inbox-files.ts';
import { renderBrief, renderInstructions, renderPrompt } from './prompt.ts';
import { storedPrompt } from './stored-prompt.ts';

/** The part of a run that is known before it starts. */
type Handed = Pick<
  AgentRun,
  'folder' | 'prompt' | 'briefPrompt' | 'instructions' | 'agent' | 'grants' | 'confinement' | 'resume' | 'keptSessions'
>;

export type Started =
  | { handed: Handed; roles: WorkerTexts['roles']; kept?: AgentContext['kept'] }
  /** Why there is no run. */
  | { failure: string };

/** Records the start with everything the run is given. A folder that cannot be written fails this run, not the daemon. */
export async function begin(deps: ActivationDeps, run: RunContext, cause: Cause): Promise<Started> {
  const { journal, queries } = deps;
  const { batch, activationId, played } = run;
  const { workerId, attempt } = batch;
  const { agent, choice } = played;
  // What is redacted from here on may stand in the prompt.
  const seenThrough = journal.lastSeq;
  const started = await prepare(deps, batch, played).catch(
    (error: unknown): Started => ({ failure: error instanceof Error ? error.message : String(error) }),
  );
  const about = await agent.describe?.(choice).catch(() => undefined);
  const worker = queries.worker(workerId);
  await journal.commit(
    'system',
    {
      type: 'StartActivation',
      activationId,
      workerId,
      triggers: batch.triggers.map(({ seq }) => seq),
      attempt,
      agent: { kind: agent.kind, ...about },
      ranWith: {
        roles: 'roles' in started ? started.roles.map(({ seq }) => seq) : [],
        identity: worker?.identitySeq ?? 0,
        grants: worker?.grantsSeq ?? 0,
      },
      seenThrough,
      ...storedPrompt(queries, workerId, 'handed' in started ? promptOf(started.handed) : ''),
    },
    { cause },
  );
  deps.onMoved();
  return started;
}

/** A session that goes on is told only what is new. */
const promptOf = ({ prompt, briefPrompt, resume }: Handed) => (resume === undefined ? prompt : briefPrompt);

async function prepare(deps: ActivationDeps, batch: RunContext['batch'], { agent, choice }: Played): Promise<Started> {
  const { journal, queries, settings, folders, policy, sessions } = deps;
  const { workerId } = batch;
  const { org } = journal;
  const texts = folders.prepare(workerId);
  const { roles, identity, folder } = texts;
  if (roles.length === 0) return { failure: `worker ${workerId} has no positions` };
  const known = { agent, sessions, queries, org, policy };
  const { kept, resume, since } = await agentContext(known, { batch, texts, context: choice.context });
  const bodyMax = settings.get('dispatch.batch_bytes');
  const files = await folders.bring(
    workerId,
    batch.triggers.flatMap((entry) => filesOf(entry, queries)),
  );
  const parts = { workerId, batch, org, policy, roles, identity, bodyMax, files };
  const runAs = settings.get('agent.run_as');
  return {
    roles,
    handed: {
      folder,
      prompt: renderPrompt(parts),
      briefPrompt: renderBrief(parts, since),
      instructions: renderInstructions(parts),
      agent: choice,
      grants: agentGrants(org.grants.get(workerId)?.keys() ?? []),
      confinement: { wrap: settings.get('agent.wrap'), ...(runAs ? { runAs } : {}) },
      ...(resume === undefined ? {} : { resume }),
      ...(kept ? { keptSessions: sessions.namesOf(workerId) } : {}),
    },
    ...(kept ? { kept } : {}),
  };
}

const AGENT_TOOL = 'agent:';

/** `agent:Bash(gh *)` is the agent's own tool `Bash(gh *)`. */
export const agentGrants = (tools: Iterable<string>): string[] =>
  [...tools].flatMap((tool) => (tool.startsWith(AGENT_TOOL) ? [tool.slice(AGENT_TOOL.length)] : []));

/** What a trigger brought along, read when it is asked for. */
function filesOf(entry: Entry, queries: Queries): EventWithFiles[] {
  const view = toView(entry);
  const attachments = view?.message?.attachments ?? [];
  if (!view || attachments.length === 0) return [];
  return [{ id: view.id, attachments, file: (part) => queries.fileSlices(view.seq, part) }];
}
