// What of a batch may run now: what is too old expires, what belongs to a chain that led to too much is held, and what is
// beyond a rate or a daily cap waits.
import type { Command } from '../domain/org.ts';
import type { Entry } from '../store/entries.ts';
import type { Batch } from '../store/inbox.ts';
import type { Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import type { Limits, Stop } from './limits.ts';

export type Verdict =
  | { kind: 'run' }
  /** To be recorded first; then the Worker is looked at again. */
  | { kind: 'record'; command: Command }
  | { kind: 'wait'; stop: Stop }
  /** Nobody may start. */
  | { kind: 'wait_all'; stop: Stop };

export type AdmissionDeps = {
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'stoppages' | 'runCounts'>;
  settings: Settings;
  limits: Limits;
  now(): Date;
};

const HOUR_MS = 3_600_000;
/** Actors whose triggers go stale: what they ask for is asked again, or was about a moment that is over. */
const SCHEDULE = 'transport:cron';

/**
 * @param wide reads a longer batch of the same Worker, so that a heap of old triggers is worked off at once
 * @param startingRoots of activations that are not in the table yet
 */
export type Admit = (batch: Batch, wide: () => Batch | undefined, startingRoots: readonly number[]) => Verdict;

export function createAdmission({ journal, queries, settings, limits, now }: AdmissionDeps): Admit {
  function isPerishable({ event, actor }: Entry): boolean {
    if (event.type === 'WorkerHired') return false;
    return actor === SCHEDULE || journal.org.workers.get(actor)?.kind === 'ai';
  }

  /** Pauses and holds do not count, and what a person let go never expires. */
  function expiredOf({ workerId, triggers, again }: Batch): number[] {
    const hours = settings.get('dispatch.expire_hours');
    if (hours === null) return [];
    const at = now();
    const isOld = (entry: Entry) => {
      const letGo = again.get(entry.seq);
      if (letGo?.byHand || !isPerishable(entry)) return false;
      const from = letGo?.at ?? entry.at;
      const age = at.getTime() - Date.parse(from);
      if (age < hours * HOUR_MS) return false;
      return age - queries.stoppages.stoppedMs(workerId, from, at.toISOString()) >= hours * HOUR_MS;
    };
    return triggers.filter(isOld).map(({ seq }) => seq);
  }

  function expire(workerId: string, triggers: number[]): Command {
    const reason = `waited longer than ${settings.get('dispatch.expire_hours')} hours (dispatch.expire_hours)`;
    return { type: 'ExpireTriggers', workerId, triggers, reason };
  }

  /** Triggers of the first chain that has led to as many activations as it may. */
  function overRoot({ workerId, triggers, again }: Batch, startingRoots: readonly number[]): Command | undefined {
    const limit = settings.get('dispatch.max_activations_per_root');
    if (limit === null) return undefined;
    const isOver = (root: number) =>
      queries.runCounts.ofRoot(root) + startingRoots.filter((each) => each === root).length >= limit;
    const limited = triggers.filter(({ seq }) => again.get(seq)?.byHand !== true);
    const root = [...new Set(limited.map((entry) => entry.root))].find(isOver);
    if (root === undefined) return undefined;
    const held = limited.filter((entry) => entry.root === root);
    const reason = `what it goes back to has led to ${limit} activations (dispatch.max_activations_per_root)`;
    const notice = rootNotice({ workerId, root, limit, held });
    return { type: 'HoldTriggers', workerId, triggers: held.map(({ seq }) => seq), reason, root, notice };
  }

  return (batch, wide, startingRoots) => {
    const { workerId } = batch;
    if (expiredOf(batch).length > 0) {
      return { kind: 'record', command: expire(workerId, expiredOf(wide() ?? batch)) };
    }
    const command = overRoot(batch, startingRoots);
    if (command) return { kind: 'record', command };
    const [ofWorker] = limits.ofWorker(workerId);
    if (ofWorker) return { kind: 'wait', stop: ofWorker };
    const [ofOrg] = limits.ofOrg(startingRoots.length);
    return ofOrg ? { kind: 'wait_all', stop: ofOrg } : { kind: 'run' };
  };
}

function rootNotice({ workerId, root, limit, held }: { workerId: string; root: number; limit: number; held: Entry[] }) {
  const ids = held.flatMap(({ event }) => (event.type === 'EventPublished' ? [event.id] : []));
  return {
    subject: `One cause led to ${limit} activations`,
    body:
      `What began with journal ${root} has woken Workers ${limit} times (dispatch.max_activations_per_root), so whatever else ` +
      `it leads to is held, first for ${workerId}${ids.length > 0 ? `: ${ids.join(', ')}` : ''}. If Workers are answering each ` +
      'other, change their Roles so that the conversation ends. event_status shows what is held; release lets an Event, or ' +
      'all that is held for a Worker, go on; discard gives it up; a raised limit lets all of it go on.',
  };
}
