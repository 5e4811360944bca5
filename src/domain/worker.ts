import { isEmailAddress } from './email-address.ts';
import { conflict, forbidden, invalid, missing } from './errors.ts';
import { checkGrantable, checkNewGrantId } from './grant.ts';
import { activationStreamId, checkId, OWNER } from './ids.ts';
import type { Context, DomainEvent, Org, WorkerState } from './org.ts';
import { requirePosition } from './position.ts';
import { checkText } from './role.ts';
import { checkMayListen } from './subscription.ts';
import { type AgentChange, checkHiredAgent, type WorkerAgent } from './worker-agent.ts';

export type WorkerKind = 'human' | 'ai';

export type WorkerCommand =
  | {
      type: 'HireWorker';
      workerId: string;
      positionId: string;
      kind: WorkerKind;
      identity: string;
      grants: { grantId: string; tool: string }[];
      streams: string[];
      email?: string;
      agent?: AgentChange;
    }
  | { type: 'UpdateIdentity'; workerId: string; content?: string; email?: string | null }
  | { type: 'MoveWorker'; workerId: string; positions: string[] }
  | { type: 'FireWorker'; workerId: string }
  | { type: 'PauseWorker'; workerId: string }
  | { type: 'ResumeWorker'; workerId: string }
  | { type: 'ActivateWorker'; workerId: string; reason: string };

export type WorkerEvent =
  | {
      type: 'WorkerHired';
      workerId: string;
      positionId: string;
      kind: WorkerKind;
      identity: string;
      /** Absent where nothing was chosen. */
      agent?: WorkerAgent;
    }
  | { type: 'IdentityUpdated'; workerId: string; content: string }
  | { type: 'WorkerEmailChanged'; workerId: string; email: string | null }
  | { type: 'WorkerMoved'; workerId: string; positions: string[] }
  | { type: 'WorkerFired'; workerId: string }
  | { type: 'WorkerPaused'; workerId: string }
  | { type: 'WorkerResumed'; workerId: string }
  | { type: 'ActivationRequested'; workerId: string; reason: string };

type HireWorker = Extract<WorkerCommand, { type: 'HireWorker' }>;

/** Hiring an AI also makes its transcript Stream, to which the hirer listens; the hire itself is its first trigger. */
export function hireWorker(org: Org, hire: HireWorker, context: Context): DomainEvent[] {
  const { workerId, positionId, kind, identity } = hire;
  if (kind === 'ai') checkMayWake(context);
  checkId('w', workerId);
  checkNewWorkerId(org, workerId);
  checkText('identityContent', identity);
  requirePosition(org, positionId);
  const agent = hire.agent ? { agent: checkHiredAgent(kind, hire.agent, context.actor) } : {};
  const events: DomainEvent[] = [{ type: 'WorkerHired', workerId, positionId, kind, identity, ...agent }];
  if (hire.email !== undefined) events.push(emailChanged(workerId, kind, hire.email));
  const grants = [...new Map(hire.grants.map((given) => [given.tool, given])).values()];
  if (new Set(grants.map(({ grantId }) => grantId)).size < grants.length)
    throw invalid('The same Grant id is given twice.');
  for (const grant of grants) {
    checkGrantable(org, grant.tool, context);
    checkNewGrantId(org, grant.grantId);
    events.push({ type: 'ToolGranted', workerId, ...grant });
  }
  for (const streamId of new Set(hire.streams)) {
    checkMayListen(org, workerId, streamId, context.actor);
    events.push({ type: 'WorkerSubscribed', workerId, streamId, filter: null });
  }
  if (kind === 'ai') events.push(...transcriptStream(org, workerId, context.actor));
  return events;
}

function transcriptStream(org: Org, workerId: string, hirer: string): DomainEvent[] {
  const streamId = activationStreamId(workerId);
  const name = `Activations: ${workerId}`;
  const events: DomainEvent[] = [
    {
      type: 'StreamCreated',
      streamId,
      name: org.streamNames.has(name) ? `${name} (${streamId})` : name,
      description: `What ${workerId} did, line by line, in each activation.`,
      transport: { kind: 'local', config: {} },
      purpose: 'transcript',
      members: [workerId, hirer],
      private: false,
      hold: false,
      batch: 'stream',
    },
  ];
  if (org.workers.has(hirer)) events.push({ type: 'WorkerSubscribed', workerId: hirer, streamId, filter: null });
  return events;
}

type UpdateIdentity = Extract<WorkerCommand, { type: 'UpdateIdentity' }>;

export function updateIdentity(org: Org, update: UpdateIdentity, { actor }: Context): DomainEvent[] {
  const { workerId, content, email } = update;
  const worker = requireWorker(org, workerId);
  if (workerId === OWNER && actor !== OWNER) throw forbidden('Only the owner says who the owner is.');
  // What is said to somebody in private also goes to their address, and what comes from there is theirs.
  if (email !== undefined && email !== worker.email && actor !== OWNER && actor !== workerId)
    throw forbidden(`Only the owner and ${workerId} say where ${workerId} gets mail.`);
  const events: DomainEvent[] = [];
  if (content !== undefined || email === undefined) {
    checkText('content', content ?? '');
    events.push({ type: 'IdentityUpdated', workerId, content: content ?? '' });
  }
  if (email !== undefined && email !== worker.email) events.push(emailChanged(workerId, worker.kind, email));
  return events;
}

function emailChanged(workerId: string, kind: WorkerKind, email: string | null): DomainEvent {
  if (email === null) return { type: 'WorkerEmailChanged', workerId, email };
  if (kind === 'ai') throw invalid(`Worker ${workerId} is an AI; only people get mail at an address of their own.`);
  if (!isEmailAddress(email)) throw invalid(`email ${JSON.stringify(email.slice(0, 80))} is not an email address`);
  return { type: 'WorkerEmailChanged', workerId, email };
}

export function moveWorker(org: Org, workerId: string, positions: string[]): DomainEvent[] {
  const worker = requireWorker(org, workerId);
  if (workerId === OWNER) throw conflict('The owner cannot be moved.');
  if (new Set(positions).size < positions.length) throw invalid('The same Position is named twice.');
  for (const positionId of positions) requirePosition(org, positionId);
  if (positions.join() === worker.positions.join()) return [];
  return [{ type: 'WorkerMoved', workerId, positions }];
}

/** Ends everything the Worker holds; its id is never given again, its history stays. */
export function fireWorker(org: Org, workerId: string): DomainEvent[] {
  requireWorker(org, workerId);
  if (workerId === OWNER) throw conflict('The owner cannot be fired.');
  const events: DomainEvent[] = [];
  for (const streamId of org.subscribed.get(workerId) ?? [])
    events.push({ type: 'WorkerUnsubscribed', workerId, streamId });
  for (const [tool, grantId] of org.grants.get(workerId) ?? [])
    events.push({ type: 'ToolRevoked', grantId, workerId, tool });
  return [...events, { type: 'WorkerFired', workerId }];
}

export function pauseWorker(org: Org, workerId: string): DomainEvent[] {
  const worker = requireWorker(org, workerId);
  if (workerId === OWNER) throw conflict('The owner cannot be paused; use pause_org to stop everything.');
  return worker.paused ? [] : [{ type: 'WorkerPaused', workerId }];
}

export function resumeWorker(org: Org, workerId: string): DomainEvent[] {
  return requireWorker(org, workerId).paused ? [{ type: 'WorkerResumed', workerId }] : [];
}

export function activateWorker(org: Org, workerId: string, reason: string, context: Context): DomainEvent[] {
  checkMayWake(context);
  const worker = requireWorker(org, workerId);
  if (worker.kind !== 'ai') throw conflict(`Worker ${workerId} is human; only AI Workers are activated.`);
  return [{ type: 'ActivationRequested', workerId, reason }];
}

export const isPerson = (org: Org, actor: string): boolean => org.workers.get(actor)?.kind === 'human';

/** The Worker, who must be employed. */
export function requireWorker(org: Org, workerId: string): WorkerState {
  const worker = org.workers.get(workerId);
  if (!worker) throw missing('worker', workerId, employed(org), 'list_workers');
  if (worker.firedAt !== null) throw conflict(`Worker ${workerId} was fired on ${worker.firedAt.slice(0, 10)}.`);
  return worker;
}

function* employed(org: Org): Iterable<string> {
  for (const [id, worker] of org.workers) if (worker.firedAt === null) yield id;
}

function checkNewWorkerId(org: Org, workerId: string): void {
  const known = org.workers.get(workerId);
  if (!known) return;
  const since = known.firedAt === null ? '' : ` (fired on ${known.firedAt.slice(0, 10)}; ids are never given twice)`;
  throw conflict(`Worker ${workerId} already exists${since}; pick another id.`);
}

/** Waking by hiring and by asking is bounded like waking by Events; it has no Event to hold, so it is refused. */
function checkMayWake({ actor, hops, limits, tooFast }: Context): void {
  if (tooFast !== undefined) {
    throw conflict(`${actor} does this faster than it may (dispatch.publish_per_minute); wait a minute, then go on.`);
  }
  if (hops <= limits.maxHops) return;
  throw conflict(
    `This is ${hops} Workers away from its cause, the limit is ${limits.maxHops} (dispatch.max_hops); a person has to do it.`,
  );
}
