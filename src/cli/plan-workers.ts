import { isDeepStrictEqual } from 'node:util';
import { conflict } from '../domain/errors.ts';
import { checkFilter, type SubscriptionFilter } from '../domain/filter.ts';
import { OWNER, ROOT_POSITION } from '../domain/ids.ts';
import type { AgentChange, WorkerAgent } from '../domain/worker-agent.ts';
import type { WorkerDocument } from './org-document.ts';
import type { Planning, Trial } from './org-plan.ts';
import { type LookAt, unnamed } from './plan-chart.ts';

type Asked = { workerId: string; before: WorkerDocument | undefined; worker: WorkerDocument };

export function* planWorkers({ now, wanted }: Planning, leaves: string[], lookAt: LookAt): Iterable<Trial> {
  const elsewhere = Object.keys(wanted.positions).find((id) => id !== ROOT_POSITION) ?? ROOT_POSITION;
  for (const [workerId, worker] of Object.entries(wanted.workers)) {
    const asked = { workerId, worker, before: now.workers[workerId] };
    lookAt(['workers', workerId, 'kind']);
    if (!asked.before) yield hire(asked, worker.positions[0] ?? elsewhere);
    else if (worker.kind !== asked.before.kind)
      throw conflict(`${workerId} is ${asked.before.kind}, and a Worker stays of its kind; hire another one.`);
    else yield* change(asked, asked.before, leaves);
    yield* move(asked, asked.before?.positions ?? [worker.positions[0] ?? elsewhere]);
    yield* listen(asked, leaves, lookAt);
  }
  leaves.push(...unnamed(now.workers, wanted.workers, 'worker').filter((name) => !name.endsWith(OWNER)));
}

/** With everything that one call can give, since an AI Worker begins at once. */
function hire({ workerId, worker }: Asked, positionId: string): Trial {
  const { kind, identity, grants, email, agent } = worker;
  const streams = Object.keys(worker.subscriptions).filter((id) => isOpen(worker.subscriptions[id]));
  const chosen = {
    ...(email === undefined ? {} : { email }),
    ...(Object.keys(agent).length === 0 ? {} : { agent: agent as WorkerAgent }),
  };
  const held = grants.length === 0 ? 'no tools' : grants.join(', ');
  return {
    tool: 'hire_worker',
    args: { id: workerId, positionId, kind, identityContent: identity, grants, streams, ...chosen },
    says: `worker ${workerId}: new, ${kind} in ${positionId}, with ${held}${kind === 'ai' ? '; it begins at once' : ''}`,
    where: ['workers', workerId],
    command: {
      type: 'HireWorker',
      workerId,
      positionId,
      kind,
      identity,
      grants: grants.map((tool, index) => ({ grantId: trialGrant(workerId, index), tool })),
      streams,
      ...chosen,
    },
  };
}

/** An id that the trial alone uses; the tool makes up another. */
const trialGrant = (workerId: string, index: number) =>
  `g-${Buffer.from(`${workerId} ${index}`).toString('hex').slice(-40)}`;

function* change({ workerId, worker }: Asked, before: WorkerDocument, leaves: string[]): Iterable<Trial> {
  const where = ['workers', workerId];
  const content = worker.identity === before.identity ? {} : { content: worker.identity };
  const email = worker.email === undefined || worker.email === before.email ? {} : { email: worker.email };
  const changed = { ...content, ...email };
  if (Object.keys(changed).length > 0)
    yield {
      tool: 'update_identity',
      args: { workerId, ...changed },
      says: `worker ${workerId}: ${[...('content' in changed ? ['text'] : []), ...('email' in changed ? [`mail address ${email.email}`] : [])].join(', ')}`,
      where,
      command: { type: 'UpdateIdentity', workerId, ...changed },
    };
  if (before.email !== undefined && worker.email === undefined) leaves.push(`${workerId}'s mail address`);
  const agent = agentChange(before.agent, worker.agent);
  if (Object.keys(agent).length > 0)
    yield {
      tool: 'update_agent',
      args: { workerId, agent },
      says: `worker ${workerId}: agent ${Object.entries(agent)
        .map(([name, value]) => `${name} ${value === null ? 'as set for all' : JSON.stringify(value)}`)
        .join(', ')}`,
      where: [...where, 'agent'],
      command: { type: 'UpdateAgent', workerId, agent },
    };
  const lacking = worker.grants.filter((tool) => !before.grants.includes(tool));
  for (const [index, tool] of lacking.entries())
    yield {
      tool: 'grant_tool',
      args: { workerId, toolName: tool },
      says: `worker ${workerId}: may use ${tool}`,
      where: [...where, 'grants', String(worker.grants.indexOf(tool))],
      command: { type: 'GrantTool', grantId: trialGrant(workerId, index), workerId, tool },
    };
  leaves.push(
    ...before.grants.filter((tool) => !worker.grants.includes(tool)).map((tool) => `${workerId}'s grant of ${tool}`),
  );
}

/** What one kind of agent was told means nothing to another, so of another kind all is said again. */
function agentChange(before: WorkerDocument['agent'], after: WorkerDocument['agent']): AgentChange {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof WorkerAgent)[];
  const differ = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  if (differ.length === 0) return {};
  const told = differ.includes('kind') ? names : differ;
  return Object.fromEntries(told.map((name) => [name, after[name] ?? null])) as AgentChange;
}

function* move({ workerId, worker }: Asked, positions: string[]): Iterable<Trial> {
  if (isDeepStrictEqual(positions, worker.positions)) return;
  yield {
    tool: 'move_worker',
    args: { workerId, positions: worker.positions },
    says: `worker ${workerId}: ${positions.join(', ') || 'no seat'} → ${worker.positions.join(', ') || 'no seat'}`,
    where: ['workers', workerId, 'positions'],
    command: { type: 'MoveWorker', workerId, positions: worker.positions },
  };
}

type Filter = WorkerDocument['subscriptions'][string];
const isOpen = (filter: Filter | undefined): boolean => filter !== undefined && Object.keys(filter).length === 0;

function* listen({ workerId, worker, before }: Asked, leaves: string[], lookAt: LookAt): Iterable<Trial> {
  const heard = before?.subscriptions ?? {};
  for (const [streamId, filter] of Object.entries(worker.subscriptions)) {
    const where = ['workers', workerId, 'subscriptions', streamId];
    lookAt(where);
    const now = heard[streamId];
    if (now ? isDeepStrictEqual({ ...now }, { ...filter }) : !before && isOpen(filter)) continue;
    const wanted = isOpen(filter) ? null : checkFilter(filter as Record<string, string[]>);
    yield {
      tool: 'invite_workers',
      args: { streamId, workerIds: [workerId], filter: wanted ?? {} },
      says: `worker ${workerId}: listens to ${streamId}${saying(wanted)}`,
      where,
      command: { type: 'InviteWorkers', streamId, workerIds: [workerId], filter: wanted },
    };
  }
  leaves.push(
    ...Object.keys(heard)
      .filter((id) => !Object.hasOwn(worker.subscriptions, id))
      .map((id) => `${workerId}'s subscription to ${id}`),
  );
}

const saying = (filter: SubscriptionFilter | null): string =>
  filter === null
    ? ''
    : `, where ${Object.entries(filter)
        .map(([field, patterns]) => `${field} is ${patterns.join(' or ')}`)
        .join(' and ')}`;
