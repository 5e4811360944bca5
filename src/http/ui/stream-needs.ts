// What on Streams waits for somebody: the matters of /ui/attention that belong to a Stream.
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import type { Attention, Matter } from './attention.ts';
import { type Action, discard, type MatterRow, run } from './matter-actions.ts';
import { matterRow } from './matter-words.ts';
import type { Visit } from './visit.ts';

export type NeedsDeps = {
  attention: Attention;
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'eventAt' | 'entry'>;
};

const SHOWN_MAX = 4;

/** The newest few, of one Stream or of all. `more` are on the page of what needs attention. */
export function needsOf(deps: NeedsDeps, visit: Visit, streamId?: string): { needs: MatterRow[]; more: number } {
  const meant = deps.attention.matters(visit).filter((matter) => {
    const id = streamOf(deps, matter);
    return id !== undefined && (streamId === undefined || id === streamId) && visit.mayRead(id);
  });
  const needs = meant.slice(0, SHOWN_MAX).map((matter) => matterRow(deps, visit, matter));
  return { needs, more: meant.length - needs.length };
}

/** How much of each Stream waits for somebody. */
export function needsByStream(deps: NeedsDeps, visit: Visit): Map<string, number> {
  const counts = new Map<string, number>();
  for (const matter of deps.attention.matters(visit)) {
    const id = streamOf(deps, matter);
    if (id !== undefined && visit.mayRead(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Where it was said; undefined for what concerns no Stream. */
function streamOf({ queries }: NeedsDeps, matter: Matter): string | undefined {
  switch (matter.kind) {
    case 'sending':
    case 'dead':
    case 'leaving':
    case 'event':
    case 'unanswered':
      return matter.streamId;
    case 'trigger':
    case 'expired':
      return queries.eventAt(matter.seq)?.streamId;
    case 'parked':
      return queries.eventAt(matter.seqs[0] ?? 0)?.streamId;
    case 'org-paused':
    case 'agent':
    case 'stalled':
    case 'limit':
    case 'paced':
    case 'worker-paused':
      return undefined;
  }
}

/** What may be done about one Event, for all its Workers and ways out at once. */
export function actsOn(
  visit: Visit,
  id: string,
  may: { mayRelease: boolean; mayRetry: boolean; mayDiscard: boolean },
): Action[] {
  const fields: [string, string][] = [['id', id]];
  return [
    ...(may.mayRelease && visit.holds('release') ? [run('Release', 'release', fields, '')] : []),
    ...(may.mayRetry && visit.holds('retry') ? [run('Try again', 'retry', fields, '')] : []),
    ...(may.mayDiscard && visit.holds('discard') ? [discard(fields)] : []),
  ];
}
