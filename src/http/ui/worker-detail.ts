// A Worker, as the org page shows them: what they are doing, who they are, what they may do, and what can be done about it.
import { activationStreamId, OWNER } from '../../domain/ids.ts';
import { requireWorker } from '../../domain/worker.ts';
import { AGENT_CONTEXTS, AGENT_EFFORTS, AGENT_KINDS, type WorkerAgent } from '../../domain/worker-agent.ts';
import type { WorkerRow } from '../../store/queries.ts';
import { catalog } from '../../tools/catalog.ts';
import { roleTitle } from '../../tools/role-text.ts';
import { activationHref, positionHref, streamHref } from './links.ts';
import { markdown } from './markdown.ts';
import type { OrgPageDeps } from './org-page.ts';
import { moment, money, span, startOfToday } from './shown.ts';
import type { Visit } from './visit.ts';

const RUNS_SHOWN = 6;
const MONTH_MS = 30 * 24 * 3_600_000;

/** Of somebody who is employed. @throws OrgError not_found, or conflict for one who was fired */
export function workerDetail(deps: OrgPageDeps, visit: Visit, id: string) {
  const { journal, queries, folderOf } = deps;
  requireWorker(journal.org, id);
  const worker = queries.worker(id) as WorkerRow;
  const grants = queries.grantsOf(id);
  const held = new Set(grants.map(({ tool }) => tool));
  const isOwner = id === OWNER;
  return {
    partial: 'worker-detail',
    title: id,
    at: id,
    data: {
      worker: {
        id,
        kind: worker.kind,
        isAi: worker.kind === 'ai',
        isOwner,
        hiredBy: worker.hiredBy,
        hired: moment(worker.hiredAt),
        identity: worker.identity,
        identityHtml: markdown(worker.identity),
        positions: worker.positions.map((positionId) => seatOf(deps, positionId)),
        isPaused: worker.pausedAt !== null,
        folder: folderOf(id),
        agent: worker.agent,
        agentWords: agentWords(worker.agent),
      },
      agentChoices: { kinds: AGENT_KINDS, efforts: AGENT_EFFORTS, contexts: AGENT_CONTEXTS },
      doing: workerDoing(deps, visit, id),
      grants: grants.map((grant) => ({ id: grant.id, tool: grant.tool })),
      grantable: visit.holds('grant_tool')
        ? catalog.map(({ name }) => name).filter((name) => !held.has(name) && (visit.isOwner || visit.holds(name)))
        : [],
      streams: listenedTo(deps, visit, id),
      invitable: visit.holds('invite_workers') ? invitable(deps, visit, id) : [],
      seats: visit.holds('move_worker')
        ? queries
            .positions()
            .map((position) => ({ ...seatOf(deps, position.id), isHeld: worker.positions.includes(position.id) }))
        : [],
      may: {
        play: visit.holds('update_agent') && worker.kind === 'ai',
        command: visit.isOwner,
        edit: visit.holds('update_identity') && (!isOwner || visit.isOwner),
        revoke: visit.holds('revoke_tool') && !isOwner,
        pause: visit.holds('pause_worker') && visit.holds('resume_worker') && !isOwner,
        interrupt: visit.holds('interrupt_worker') && worker.kind === 'ai',
        activate: visit.holds('activate_worker') && worker.kind === 'ai',
        move: visit.holds('move_worker') && !isOwner,
        fire: visit.holds('fire_worker') && !isOwner,
        letIn: visit.isOwner && worker.kind === 'human',
      },
    },
  };
}

/** How it is played, in words. */
function agentWords({ kind, command, model, effort, runSeconds, context }: WorkerAgent): string {
  const parts = [
    kind ?? '',
    command ? command.join(' ') : '',
    model ? `model ${model}` : '',
    effort ? `effort ${effort}` : '',
    runSeconds ? `at most ${runSeconds} s a run` : '',
    context ? `context ${context}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'As is set for all.' : `${parts.join(', ')}; the rest as is set for all.`;
}

/** The part that changes by itself. @throws OrgError as {@link workerDetail} */
export function workerDoing({ journal, queries, stateOf, waitingOf }: OrgPageDeps, visit: Visit, id: string) {
  const { kind, paused } = requireWorker(journal.org, id);
  const isHuman = kind === 'human';
  const waiting = isHuman ? 0 : waitingOf(id);
  return {
    id,
    state: isHuman ? (paused ? 'paused' : 'person') : stateOf(id),
    isRunning: !isHuman && stateOf(id) === 'running',
    waiting: waiting > 0 ? `${waiting >= 100 ? '100 or more' : waiting} waiting` : '',
    ...runsOf({ queries }, visit, id),
  };
}

/** The last runs and what they came to; nothing for who may not know of them. */
export function runsOf({ queries }: Pick<OrgPageDeps, 'queries'>, visit: Visit, id: string) {
  const at = new Date();
  const mayKnow = queries.worker(id)?.kind === 'ai' && visit.mayRead(activationStreamId(id));
  const today = queries.figuresSince(startOfToday(at), id);
  const month = queries.figuresSince(new Date(at.getTime() - MONTH_MS).toISOString(), id);
  return {
    runs: (mayKnow ? queries.activationsOf(id, RUNS_SHOWN) : []).map((run) => ({
      href: activationHref(run.id),
      started: moment(run.startedAt),
      state: run.state,
      exit: run.exit ?? '',
      took: span(run.startedAt, run.endedAt ?? at.toISOString()),
      isSilent: run.endedAt !== null && run.published === 0 && run.changed === 0,
      cost: costOf(run.usage),
      attempt: run.attempt > 1 ? `attempt ${run.attempt}` : '',
    })),
    figures: mayKnow
      ? [
          { name: 'Today', runs: today.runs, cost: money(today.costUsd) },
          { name: '30 days', runs: month.runs, cost: money(month.costUsd) },
        ]
      : [],
    silent: mayKnow && month.runs > 0 ? `${Math.round((100 * month.silent) / month.runs)} % of them silent` : '',
  };
}

function costOf(usage: string | null): string {
  const { costUsd } = JSON.parse(usage ?? '{}') as { costUsd?: number };
  return costUsd === undefined ? '' : money(costUsd);
}

export function seatOf({ queries }: Pick<OrgPageDeps, 'queries'>, positionId: string) {
  const role = queries.role(queries.position(positionId)?.roleId ?? '');
  return {
    id: positionId,
    href: positionHref(positionId),
    roleId: role?.id ?? '',
    title: role ? roleTitle(role.content) : '',
  };
}

function listenedTo({ journal }: OrgPageDeps, visit: Visit, id: string) {
  const streams = [...(journal.org.subscribed.get(id) ?? [])].filter((streamId) => visit.mayRead(streamId)).sort();
  return streams.map((streamId) => ({
    id: streamId,
    href: streamHref(streamId),
    isFiltered: journal.org.subscriptions.get(streamId)?.get(id)?.filter != null,
  }));
}

function invitable({ journal }: OrgPageDeps, visit: Visit, id: string): string[] {
  const listens = journal.org.subscribed.get(id);
  return [...journal.org.streams].flatMap(([streamId, { purpose, deletedAt }]) =>
    purpose === 'open' && deletedAt === null && !listens?.has(streamId) && visit.mayRead(streamId) ? [streamId] : [],
  );
}
