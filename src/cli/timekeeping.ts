import type { Logger } from 'pino';
import { startClock } from '../dispatch/clock.ts';
import { createDueTimes } from '../store/due-times.ts';
import { transports } from '../transports/catalog.ts';
import type { Core } from './core.ts';

type Edges = {
  log: Pick<Logger, 'error'>;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

/** Keeps the times of Streams whose transport has a schedule. @returns what stops it */
export function startTimekeeping({ db, journal }: Pick<Core, 'db' | 'journal'>, { log, now, after }: Edges) {
  const schedules = new Map([...transports].flatMap(([kind, { schedule }]) => (schedule ? [[kind, schedule]] : [])));
  const onFailure = (error: unknown) => log.error({ err: error }, 'what was due could not be published');
  return startClock({ journal, dueTimes: createDueTimes(db), schedules, now, after, onFailure });
}
