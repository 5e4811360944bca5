// One notice for everything that expired together, as after a long downtime: posted when no more has expired for a while.
import type { Expired } from '../store/expired.ts';
import type { Journal } from '../store/journal.ts';

type Deps = {
  journal: Pick<Journal, 'commit'>;
  expired: Expired;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

const QUIET_MS = 10_000;
const NAMED_MAX = 10;

export function createExpirySummary({ journal, expired, after, onFailure }: Deps): { check(): void; close(): void } {
  let cancel = () => {};

  async function post(): Promise<void> {
    const { through, workers } = expired.untold();
    if (workers.length === 0) return;
    const total = workers.reduce((sum, { count }) => sum + count, 0);
    const named = workers.slice(0, NAMED_MAX).map(({ workerId, count }) => `${workerId} ${count}`);
    const more = workers.length > NAMED_MAX ? [`${workers.length - NAMED_MAX} more Workers`] : [];
    await journal.commit('system', {
      type: 'PostNotice',
      subject: `${total} ${total === 1 ? 'trigger' : 'triggers'} expired`,
      body:
        `What AI Workers and schedules had asked for waited too long (dispatch.expire_hours), so nobody is woken for it: ` +
        `${[...named, ...more].join(', ')}. What people and the outside sent is not among it. event_status of an Event shows ` +
        'whether it is; retry with the Event, or with the Worker for all of it, lets it run after all.',
    });
    expired.told(through);
  }

  return {
    /** Something expired, now or before a restart. */
    check() {
      cancel();
      cancel = after(QUIET_MS, () => void post().catch(onFailure));
    },
    close: () => cancel(),
  };
}
