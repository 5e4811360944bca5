// Tells people when work waits and nothing moves: once, and once more when it goes on.
import type { Journal } from '../store/journal.ts';
import type { Settings } from '../store/settings.ts';

/** Why nothing moves although it should, as one sentence; undefined while nothing has to. */
export type StallReason = () => string | undefined;

type Deps = {
  journal: Pick<Journal, 'commit'>;
  settings: Pick<Settings, 'get'>;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

export type StallAlarm = {
  /** Something moved: a run began, said something or ended. */
  moved(): void;
  /** Why nothing moves, and since when, once people were told of it. */
  readonly alarm: { since: string; why: string } | undefined;
  close(): void;
};

/** How often it is looked, and so how late the alarm may be. */
export const LOOK_MS = 15_000;

export function createStallAlarm(deps: Deps, reason: StallReason): StallAlarm {
  const { journal, settings, now, after, onFailure } = deps;
  let lookedAt = now().getTime();
  let stillMs = 0;
  let alarm: StallAlarm['alarm'];
  let cancel = after(LOOK_MS, look);

  const post = (subject: string, body: string) =>
    void journal.commit('system', { type: 'PostNotice', subject, body }).catch(onFailure);

  function look(): void {
    cancel = after(LOOK_MS, look);
    const elapsedMs = now().getTime() - lookedAt;
    lookedAt += elapsedMs;
    const why = reason();
    if (why === undefined) return moved();
    // A machine that slept, or a clock that was set, is no stall.
    stillMs += Math.min(Math.max(elapsedMs, 0), 2 * LOOK_MS);
    const seconds = settings.get('dispatch.stall_alarm');
    if (alarm || stillMs < seconds * 1_000) return;
    alarm = { since: new Date(now().getTime() - stillMs).toISOString(), why };
    post(
      'Work waits and nothing moves',
      `For ${seconds} s (dispatch.stall_alarm) no run has begun, said anything or ended, although there is work: ${why} ` +
        'Nothing is lost. list_activations shows what runs, interrupt_worker ends a run; the log of the daemon says more.',
    );
  }

  function moved(): void {
    stillMs = 0;
    if (!alarm) return;
    alarm = undefined;
    post('Work goes on', 'What waited moves again; nothing is needed from you.');
  }

  return {
    moved,
    get alarm() {
      return alarm;
    },
    close: () => cancel(),
  };
}
