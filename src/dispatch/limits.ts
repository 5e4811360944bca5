// Rates and daily caps: whether one more run of a Worker is within them. Pure reading: the table of activations is what is
// counted, the settings are read at use, so a raised limit holds at once and a restart changes nothing.

import { type SettingKey, workerLimit } from '../store/daemon-settings.ts';
import type { RunCounts } from '../store/run-counts.ts';
import type { Settings } from '../store/settings.ts';

/** What is in the way of a run. */
export type Stop = {
  /** Names the hold in the journal, such as `runs_per_hour:w-ann`. */
  hold: string;
  /** Null when it holds everybody. */
  workerId: string | null;
  /** When it may be over; it is looked at again then. */
  untilMs: number;
  reason: string;
  notice: { subject: string; body: string };
};

export type Limits = {
  /** What is in the way of one more run of this Worker, the longest first. */
  ofWorker(workerId: string): Stop[];
  /** @param unrecorded runs that are being started and are not in the table yet */
  ofOrg(unrecorded: number): Stop[];
};

type Deps = { counts: RunCounts; settings: Settings; now(): Date };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const LIMIT_NAMES = ['runs_per_hour', 'runs_per_day', 'cost_per_day'] as const;
type LimitName = (typeof LIMIT_NAMES)[number];

/** Ends of itself at midnight, UTC. */
export const isDaily = (hold: string): boolean => hold.startsWith('runs_per_day:') || hold.startsWith('cost_per_day:');
/** Whether a hold in the journal is one of a limit, and not of a broken agent. */
export const isLimit = (hold: string): boolean => LIMIT_NAMES.some((name) => hold.startsWith(`${name}:`));

export function createLimits({ counts, settings, now }: Deps): Limits {
  const iso = (ms: number) => new Date(ms).toISOString();
  const midnight = () => Math.floor(now().getTime() / DAY_MS) * DAY_MS;

  function hourly(workerId: string | null, limit: number | null, unrecorded: number): Stop | undefined {
    if (limit === null) return undefined;
    const since = iso(now().getTime() - HOUR_MS + 1);
    const ran = counts.since(workerId, since);
    if (ran + unrecorded < limit) return undefined;
    // The one whose hour must be over before another may run.
    const first = counts.nthSince(workerId, since, Math.max(0, ran + unrecorded - limit));
    const untilMs = first === undefined ? now().getTime() + 1_000 : Date.parse(first) + HOUR_MS;
    return stop('runs_per_hour', workerId, untilMs, `${limit} runs an hour`);
  }

  function daily(workerId: string | null, limit: number | null, unrecorded: number): Stop | undefined {
    if (limit === null || counts.since(workerId, iso(midnight())) + unrecorded < limit) return undefined;
    return stop('runs_per_day', workerId, midnight() + DAY_MS, `${limit} runs a day`);
  }

  function cost(workerId: string | null, limit: number | null, unrecorded: number): Stop | undefined {
    if (limit === null) return undefined;
    const unknown = settings.get('dispatch.unknown_run_cost');
    const spent = counts.costSince(workerId, iso(midnight()), unknown) + unrecorded * unknown;
    if (spent < limit) return undefined;
    return stop('cost_per_day', workerId, midnight() + DAY_MS, `${limit} US dollars a day`);
  }

  function stop(name: LimitName, workerId: string | null, untilMs: number, limit: string): Stop {
    const who = workerId ?? 'the org';
    const key = `dispatch.${workerId === null ? 'org' : 'worker'}_${name}`;
    const own = workerId === null ? '' : `, or for ${workerId} alone in dispatch.workers`;
    const goesOn = `${iso(untilMs).slice(0, 16).replace('T', ' ')} UTC`;
    return {
      hold: `${name}:${workerId ?? 'org'}`,
      workerId,
      untilMs,
      reason: `${who} has reached its limit of ${limit} (${key}); it goes on by itself`,
      notice: {
        subject: `${workerId ?? 'The org'} has reached its limit of ${limit}`,
        body:
          `What comes for ${workerId ?? 'any AI Worker'} waits; nothing is lost, and it goes on by itself from ${goesOn}. ` +
          `To let it go on now, raise the limit: helix-org config set ${key} NUMBER${own}. ` +
          `If this is more work than you expected, look at list_activations and pause ${workerId ?? 'whoever is too busy'}.`,
      },
    };
  }

  const inTheWay = (...stops: (Stop | undefined)[]) =>
    stops.filter((each) => each !== undefined).sort((a, b) => b.untilMs - a.untilMs);

  return {
    ofWorker(workerId) {
      const own = (name: LimitName, key: SettingKey) => workerLimit(settings, workerId, name, key);
      return inTheWay(
        hourly(workerId, own('runs_per_hour', 'dispatch.worker_runs_per_hour'), 0),
        daily(workerId, own('runs_per_day', 'dispatch.worker_runs_per_day'), 0),
        cost(workerId, own('cost_per_day', 'dispatch.worker_cost_per_day'), 0),
      );
    },
    ofOrg: (unrecorded) =>
      inTheWay(
        hourly(null, settings.get('dispatch.org_runs_per_hour'), unrecorded),
        daily(null, settings.get('dispatch.org_runs_per_day'), unrecorded),
        cost(null, settings.get('dispatch.org_cost_per_day'), unrecorded),
      ),
  };
}
