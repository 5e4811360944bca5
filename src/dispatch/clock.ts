// Keeps the times of Streams that have a schedule: publishes when one is due. What passed while nobody looked (the daemon
// was down, the machine asleep, the org paused) is made up for once, by its last time. Looks at least twice a minute, since
// timers know nothing of clocks that are set, and of machines that sleep.
import { createHash } from 'node:crypto';
import { OrgError } from '../domain/errors.ts';
import { encodeMessage } from '../domain/message.ts';
import type { Due, Schedule } from '../domain/schedule.ts';
import type { DueTimes } from '../store/due-times.ts';
import type { Entry } from '../store/entries.ts';
import type { Journal } from '../store/journal.ts';

export type ClockDeps = {
  journal: Journal;
  dueTimes: DueTimes;
  /** By the kind of transport. */
  schedules: ReadonlyMap<string, Schedule<Record<string, unknown>>>;
  now(): Date;
  /** Calls back after so many milliseconds; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** An Event could not be published, as when the disk is full; it is tried again. */
  onFailure(error: unknown): void;
};

const LOOK_MS = 30_000;
const MISSED_COUNTED = 100;

/** A Stream's schedule: kept until a moment, and when to look again. */
type Plan = { kind: string; config: Record<string, unknown>; keptUntil: Date; next: Date | undefined; busy: boolean };

/** @returns what stops it, and resolves when nothing is being published any more */
export function startClock(deps: ClockDeps): () => Promise<void> {
  const { journal, schedules, dueTimes, now } = deps;
  const plans = new Map<string, Plan>();
  const publishing = new Set<Promise<void>>();
  let cancel = () => {};
  let isStopped = false;

  function plan(streamId: string): void {
    const stream = journal.org.streams.get(streamId);
    const { kind = '', config = {} } = stream?.transport ?? {};
    const schedule = schedules.get(kind);
    plans.delete(streamId);
    if (!stream || !schedule || stream.deletedAt !== null || stream.purpose !== 'open') return;
    try {
      const keptUntil = dueTimes.keptUntil(streamId, stream.transport);
      plans.set(streamId, { kind, config, keptUntil, next: schedule.next(config, keptUntil), busy: false });
    } catch (error) {
      deps.onFailure(error);
    }
  }

  function look(): void {
    cancel();
    if (isStopped) return;
    let soonest = LOOK_MS;
    for (const [streamId, each] of plans) {
      const { next, busy } = each;
      if (!next || busy || journal.org.paused) continue;
      const wait = next.getTime() - now().getTime();
      if (wait <= 0) keep(streamId, each);
      else soonest = Math.min(soonest, wait);
    }
    cancel = deps.after(soonest, look);
  }

  function keep(streamId: string, each: Plan): void {
    const due = dueOf(each);
    if (!due) return;
    each.busy = true;
    const published = publish(streamId, each, due).then(
      () => {
        each.keptUntil = due.at;
        each.next = schedules.get(each.kind)?.next(each.config, due.at);
        each.busy = false;
        look();
      },
      (error: unknown) => {
        each.busy = false;
        // Refused: the Stream was deleted in the same moment.
        if (!(error instanceof OrgError)) deps.onFailure(error);
      },
    );
    publishing.add(published);
    void published.finally(() => publishing.delete(published));
  }

  function dueOf({ kind, config, keptUntil }: Plan): Due | undefined {
    const schedule = schedules.get(kind);
    const at = schedule?.last(config, now());
    if (!schedule || !at || at <= keptUntil) return undefined;
    let missed = 0;
    for (let each = schedule.next(config, keptUntil); each && each < at && missed < MISSED_COUNTED; missed++)
      each = schedule.next(config, each);
    return { at, missed };
  }

  async function publish(streamId: string, { kind, config }: Plan, due: Due): Promise<void> {
    const message = schedules.get(kind)?.message(config, due) ?? {};
    const bytes = encodeMessage(message);
    await journal.commit(
      `transport:${kind}`,
      { type: 'Publish', streamId, content: [{ name: 'message', bytes }] },
      {
        via: 'transport',
        once: {
          stream: streamId,
          provider: kind,
          key: due.at.toISOString(),
          bodyDigest: createHash('sha256').update(bytes).digest(),
          refuseOtherBody: false,
        },
      },
    );
  }

  function notice({ event }: Entry): void {
    switch (event.type) {
      case 'StreamCreated':
      case 'StreamUpdated':
      case 'StreamDeleted':
        plan(event.streamId);
        return look();
      case 'OrgResumed':
        return look();
      default:
        return; // Nothing else changes what is due.
    }
  }

  const unlisten = journal.onCommit((entries) => entries.forEach(notice));
  for (const streamId of journal.org.streams.keys()) plan(streamId);
  look();
  return async () => {
    isStopped = true;
    unlisten();
    cancel();
    await Promise.all(publishing);
  };
}
