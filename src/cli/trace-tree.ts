// The chain of causes around one thing: up to what began it, down to everything it led to.
import { plain, sentence } from '../http/ui/sentences.ts';
import type { Entry } from '../store/entries.ts';
import { toView } from '../store/event-reader.ts';
import type { ActivationRow, Queries } from '../store/queries.ts';
import type { TraceReads } from '../store/trace-reads.ts';
import { type Traced, tracedOf } from './trace-find.ts';

/** One link of a chain, as `trace --json` gives it. */
export type TraceNode = {
  /** `listener`: a Worker that an Event did not wake, or has not yet. `fact`: any other entry of the journal. */
  kind: 'event' | 'activation' | 'delivery' | 'listener' | 'fact';
  /** By which it can be traced; a listener has the Worker's. */
  id: string;
  /** seq in the journal; of a delivery, that of its Event. */
  seq: number;
  /** RFC 3339. */
  at: string;
  /** Who published, ran, listens, receives or acted. */
  who: string;
  stream?: string;
  /** The subject or the beginning of an Event; of a fact, what happened. */
  text?: string;
  /** What came of it, in a few words. */
  outcome?: string;
  endedAt?: string;
  costUsd?: number;
  attempt?: number;
  isTarget?: true;
  /** Of a run that was woken by several: what else woke it. */
  alsoBy?: string[];
  children: TraceNode[];
  /** What it led to besides, which is not shown. */
  omitted?: number;
};

export type TreeDeps = {
  queries: Pick<
    Queries,
    'entry' | 'eventAt' | 'activation' | 'activationsBy' | 'deliveriesOf' | 'eventStatus' | 'stream' | 'outcomes'
  >;
  reads: TraceReads;
};

/** Nodes below what was asked for; a chain without end must not take the machine's memory. */
const NODES_MAX = 1_000;
const EFFECTS_MAX = 200;
const LISTENERS_MAX = 50;
const TEXT_MAX = 140;

/** The whole chain as one tree that begins with the first cause; beside the way to what was asked for, branches are counted only. */
export function treeOf(deps: TreeDeps, target: Traced): TraceNode | undefined {
  const seen = new Set<string>();
  let left = NODES_MAX;
  const grow = (traced: Traced): TraceNode | undefined => {
    const node = nodeOf(deps, traced);
    if (!node || seen.has(keyOf(traced))) return undefined;
    seen.add(keyOf(traced));
    const effects = effectsOf(deps, traced);
    for (const effect of effects) {
      if (seen.has(keyOf(effect))) continue;
      left -= 1;
      if (left < 0) return { ...node, omitted: effects.length - node.children.length };
      node.children.push(...[grow(effect)].filter((each) => each !== undefined));
    }
    node.children.push(...listenersOf(deps, traced));
    return node;
  };
  const found = grow(target);
  return found && withCauses(deps, target, { ...found, isTarget: true });
}

/** One link by itself, as a list of matches shows it. */
export function nodeOf({ queries, reads }: TreeDeps, traced: Traced): TraceNode | undefined {
  switch (traced.kind) {
    case 'entry': {
      const entry = queries.entry(traced.seq);
      return entry && entryNode(queries, entry);
    }
    case 'activation': {
      const run = queries.activation(traced.id);
      return run && runNode(run);
    }
    case 'delivery': {
      const seq = reads.eventOfDelivery(traced.id);
      const row = seq === undefined ? undefined : queries.deliveriesOf(seq).find(({ id }) => id === traced.id);
      if (!row) return undefined;
      const { id, state, reason, lastError, messageId, attempts, recipient, kind, stream: streamId } = row;
      const why = state === 'delivered' ? (row.detail ?? messageId ?? '') : reason || (lastError ?? '');
      return {
        kind: 'delivery',
        id,
        seq: row.seq,
        at: row.at,
        who: recipient ?? '',
        stream: streamId,
        text: kind,
        outcome: why === '' ? state : `${state}: ${why}`,
        attempt: attempts,
        children: [],
      };
    }
  }
}

function entryNode(queries: TreeDeps['queries'], entry: Entry): TraceNode {
  const view = toView(entry);
  const { seq, at, actor } = entry;
  if (!view) return { kind: 'fact', id: String(seq), seq, at, who: actor, text: plain(sentence(entry)), children: [] };
  const { message, body, redacted, id, streamId } = view;
  const held = queries.outcomes.held(seq);
  return {
    kind: 'event',
    id,
    seq,
    at,
    who: view.source || message?.from || (actor === 'system' ? 'the daemon' : actor),
    stream: streamId,
    text: redacted ? '(erased)' : (message?.subject ?? body).slice(0, TEXT_MAX).toWellFormed(),
    ...(held && held.state !== 'released' ? { outcome: `${held.state}: ${held.reason}` } : {}),
    children: [],
  };
}

function runNode({
  id,
  seq,
  worker,
  state,
  exit,
  attempt,
  startedAt,
  endedAt,
  usage,
  ...run
}: ActivationRow): TraceNode {
  const { costUsd } = JSON.parse(usage ?? '{}') as { costUsd?: number };
  const silent = run.published === 0 && run.changed === 0 && state === 'done' ? ', silent' : '';
  return {
    kind: 'activation',
    id,
    seq,
    at: startedAt,
    who: worker,
    outcome: exit === null || exit === 'ok' || exit === state ? `${state}${silent}` : `${state}: ${exit}`,
    ...(endedAt === null ? {} : { endedAt }),
    ...(costUsd === undefined ? {} : { costUsd }),
    attempt,
    children: [],
  };
}

function effectsOf(deps: TreeDeps, traced: Traced): Traced[] {
  const { queries, reads } = deps;
  switch (traced.kind) {
    case 'delivery':
      return [];
    case 'activation': {
      const run = queries.activation(traced.id);
      if (!run) return [];
      const done = reads
        .effects(run.triggers.at(-1) ?? 0, EFFECTS_MAX)
        .filter(({ activationId }) => activationId === run.id);
      // What came back from outside names the run's own entry.
      return shown(deps, [...done, ...reads.effects(run.seq, EFFECTS_MAX)]);
    }
    case 'entry': {
      const { seq } = traced;
      const own = reads
        .effects(seq, EFFECTS_MAX)
        .filter(({ activationId }) => !isTriggerOf(queries, activationId, seq));
      const runs = queries.activationsBy(seq).map(({ id }): Traced => ({ kind: 'activation', id }));
      const sent = queries.deliveriesOf(seq).map(({ id }): Traced => ({ kind: 'delivery', id }));
      return [...sent, ...runs, ...shown(deps, own)];
    }
  }
}

/** Facts about runs and deliveries are shown as those. */
function shown({ queries }: TreeDeps, effects: { seq: number }[]): Traced[] {
  return effects.flatMap(({ seq }) => {
    const entry = queries.entry(seq);
    const traced = entry && tracedOf(entry);
    return traced?.kind === 'entry' ? [traced] : [];
  });
}

const isTriggerOf = (queries: TreeDeps['queries'], activationId: string | null, seq: number): boolean =>
  activationId !== null && queries.activation(activationId)?.triggers.includes(seq) === true;

/** Who listened and was not woken, with the reason. */
function listenersOf({ queries }: TreeDeps, traced: Traced): TraceNode[] {
  const entry = traced.kind === 'entry' ? queries.entry(traced.seq) : undefined;
  if (entry?.event.type !== 'EventPublished' || !queries.stream(entry.event.streamId)) return [];
  const { seq, at, actor, event } = entry;
  return queries.eventStatus
    .page({ seq, stream: event.streamId, publisher: actor }, '', LISTENERS_MAX)
    .filter(({ state }) => !['handled', 'in_activation', 'skipped', 'read_only'].includes(state))
    .map(({ workerId, state, reason }) => {
      return { kind: 'listener', id: workerId, seq, at, who: workerId, outcome: `${state}: ${reason}`, children: [] };
    });
}

function withCauses(deps: TreeDeps, target: Traced, node: TraceNode): TraceNode {
  const met = new Set([keyOf(target)]);
  let below = node;
  for (let at = causeOf(deps, target); at && !met.has(keyOf(at.cause)); at = causeOf(deps, at.cause)) {
    met.add(keyOf(at.cause));
    const cause = nodeOf(deps, at.cause);
    if (!cause) break;
    if (at.alsoBy.length > 0) below.alsoBy = at.alsoBy;
    const others = effectsOf(deps, at.cause).length - 1;
    below = { ...cause, children: [below], ...(others > 0 ? { omitted: others } : {}) };
  }
  return below;
}

function causeOf({ queries, reads }: TreeDeps, traced: Traced): { cause: Traced; alsoBy: string[] } | undefined {
  switch (traced.kind) {
    case 'delivery': {
      const seq = reads.eventOfDelivery(traced.id);
      return seq === undefined ? undefined : { cause: { kind: 'entry', seq }, alsoBy: [] };
    }
    case 'activation': {
      const run = queries.activation(traced.id);
      if (!run) return undefined;
      // The chain that the run counts for; the others end in it.
      const seq = run.triggers.findLast((each) => queries.entry(each)?.root === run.root) ?? run.triggers.at(-1) ?? 0;
      const others = run.triggers.filter((each) => each !== seq);
      return { cause: { kind: 'entry', seq }, alsoBy: others.map((each) => queries.eventAt(each)?.id ?? String(each)) };
    }
    case 'entry': {
      const entry = queries.entry(traced.seq);
      const before = entry?.causedBy == null ? undefined : queries.entry(entry.causedBy);
      if (!entry || !before) return undefined;
      const { activationId } = entry;
      if (activationId !== null && isTriggerOf(queries, activationId, before.seq))
        return { cause: { kind: 'activation', id: activationId }, alsoBy: [] };
      return { cause: tracedOf(before), alsoBy: [] };
    }
  }
}

const keyOf = (traced: Traced): string => (traced.kind === 'entry' ? `${traced.seq}` : traced.id);
