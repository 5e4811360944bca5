// One activation: what woke it, what it was told, what it did line by line, how it ended, and what was tried before and after.

import type { Usage } from '../../domain/activation.ts';
import { forbidden, notFound } from '../../domain/errors.ts';
import { activationStreamId } from '../../domain/ids.ts';
import type { ActivationRow, Queries } from '../../store/queries.ts';
import type { View } from './kit.ts';
import { activationHref, workerHref } from './links.ts';
import { type RunPageDeps, runWords } from './run-page.ts';
import { clip, count, moment } from './shown.ts';
import { blocksOf } from './transcript.ts';
import { triggerWords } from './trigger-words.ts';
import type { Visit } from './visit.ts';

const LINES_SHOWN = 400;
/** Before new lines, in which the calls are looked for that they answer. */
const LOOKED_BACK = 400;
const TRIGGERS_SHOWN = 30;
const ATTEMPTS_SHOWN = 20;
const PROMPT_SHOWN = 400_000;

/** @throws OrgError not_found, or forbidden for a transcript that the visitor may not read */
export function runDetail(deps: RunPageDeps, visit: Visit, id: string): View {
  const run = requireRun(deps, visit, id);
  const before = Number(visit.param('before')) || undefined;
  const lines = deps.queries.runLines(id, { ...(before ? { before } : {}), limit: LINES_SHOWN + 1 });
  const shown = lines.slice(-LINES_SHOWN);
  return {
    title: `${run.worker} · ${run.state}`,
    section: 'activations',
    page: 'activation',
    partial: 'run-state',
    topics: ['activations', `transcript:${run.worker}`],
    data: {
      run: { ...runWords(run), workerHref: workerHref(run.worker), href: activationHref(id) },
      state: stateOf(deps, visit, run),
      triggers: run.triggers.slice(0, TRIGGERS_SHOWN).map((seq) => triggerWords(deps, visit, seq, run.worker)),
      moreTriggers: Math.max(0, run.triggers.length - TRIGGERS_SHOWN),
      prompt: promptOf(deps.queries, run.seq),
      blocks: blocksOf(shown).blocks,
      earlier: lines.length > LINES_SHOWN ? `${activationHref(id)}?before=${shown[0]?.seq ?? 0}#transcript` : '',
      isPast: before !== undefined,
      newer: newerHref(id, shown.at(-1)?.seq ?? run.seq),
    },
  };
}

/** What came after a line, and results of calls that stand above. @throws OrgError as {@link runDetail} */
export function runLines(deps: RunPageDeps, visit: Visit, id: string): View {
  const run = requireRun(deps, visit, id);
  const after = Number(visit.param('after')) || 0;
  const lines = deps.queries.runLines(id, { after, limit: LINES_SHOWN });
  const shown = deps.queries.runLines(id, { before: after + 1, limit: LOOKED_BACK });
  return {
    title: `${run.worker} · ${run.state}`,
    section: 'activations',
    page: 'activation-lines',
    partial: 'run-newer',
    data: {
      run: { worker: run.worker },
      ...blocksOf(lines, shown),
      newer: newerHref(id, lines.at(-1)?.seq ?? after),
    },
  };
}

const newerHref = (id: string, after: number): string => `${activationHref(id)}/lines?after=${after}`;

function requireRun({ queries }: RunPageDeps, visit: Visit, id: string): ActivationRow {
  const run = queries.activation(id);
  if (!run) throw notFound('There is no such activation; the list of activations shows those there are.');
  if (visit.mayRead(activationStreamId(run.worker))) return run;
  throw forbidden('What an activation did is for its Worker, for who hired it, and for the owner.');
}

/** The part that changes while it runs and when it is tried again. */
function stateOf({ queries, journal }: RunPageDeps, visit: Visit, run: ActivationRow) {
  const agent = JSON.parse(run.agent) as { kind?: string; version?: string; model?: string };
  const usage = JSON.parse(run.usage ?? '{}') as Usage;
  const parked = run.triggers.filter((seq) =>
    queries.asideOf(seq).some(({ worker, state }) => worker === run.worker && state === 'parked'),
  ).length;
  const isEmployed = journal.org.workers.get(run.worker)?.firedAt === null;
  return {
    ...runWords(run),
    exit: run.exit === null ? '' : clip(run.exit, 2_000),
    ended: run.endedAt === null ? undefined : moment(run.endedAt),
    agent: [agent.kind, agent.version, agent.model].filter(Boolean).join(' · '),
    tokens: tokensOf(usage),
    did: run.endedAt === null ? '' : didOf(run),
    parked: parked > 0 ? `${count(parked, 'trigger')} of it ${parked === 1 ? 'is' : 'are'} parked` : '',
    hops: run.hops,
    attempts: attemptsOf(queries, run),
    may: {
      interrupt: run.state === 'running' && visit.holds('interrupt_worker'),
      retry: parked > 0 && isEmployed && visit.holds('retry'),
      discard: parked > 0 && isEmployed && visit.holds('discard'),
    },
  };
}

function didOf({ published, changed }: ActivationRow): string {
  if (!published && !changed) return 'published nothing, changed nothing';
  return `published ${count(published ?? 0, 'Event')}, made ${count(changed ?? 0, 'other change')}`;
}

function tokensOf({ inputTokens, outputTokens }: Usage): string {
  const number = (value: number) => value.toLocaleString('en');
  const parts = [
    ...(inputTokens === undefined ? [] : [`${number(inputTokens)} in`]),
    ...(outputTokens === undefined ? [] : [`${number(outputTokens)} out`]),
  ];
  return parts.join(', ');
}

/** Runs of the same Worker for some of the same triggers, oldest first; only itself when there were no others. */
function attemptsOf(queries: Queries, run: ActivationRow) {
  const ends = [...new Set([run.triggers[0], run.triggers.at(-1)])].flatMap((seq) => seq ?? []);
  const runs = new Map(ends.flatMap((seq) => queries.activationsBy(seq)).map((each) => [each.id, each]));
  return [...runs.values()]
    .filter(({ worker }) => worker === run.worker)
    .sort((a, b) => a.seq - b.seq)
    .slice(-ATTEMPTS_SHOWN)
    .map((each) => ({
      ...runWords(each),
      href: activationHref(each.id),
      number: each.attempt,
      isThis: each.id === run.id,
    }));
}

function promptOf(queries: Queries, activationSeq: number): { text: string; size: string } | undefined {
  const bytes = queries.prompt(activationSeq)?.bytes;
  if (!bytes) return undefined;
  const text = Buffer.from(bytes).toString();
  const size = bytes.length < 2_048 ? count(bytes.length, 'byte') : `${Math.round(bytes.length / 1_024)} KiB`;
  return { text: clip(text, PROMPT_SHOWN), size };
}
