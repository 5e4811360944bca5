// When the limit of activations per root was raised: lets go what was held for it, as far as the new limit reaches.
import type { HeldTrigger } from '../store/held-triggers.ts';
import type { Journal } from '../store/journal.ts';
import type { RunCounts } from '../store/run-counts.ts';
import type { Settings } from '../store/settings.ts';

type Deps = {
  journal: Pick<Journal, 'commit'>;
  heldTriggers: () => HeldTrigger[];
  counts: RunCounts;
  settings: Settings;
  onFailure(error: unknown): void;
};

export function createRootRelease({ journal, heldTriggers, counts, settings, onFailure }: Deps): () => void {
  return () => {
    const limit = settings.get('dispatch.max_activations_per_root');
    const room = new Map<number, number>();
    const letGo = new Map<string, number[]>();
    for (const { workerId, seq, root } of heldTriggers()) {
      const left = room.get(root) ?? (limit === null ? Number.POSITIVE_INFINITY : limit - counts.ofRoot(root));
      room.set(root, left - 1);
      if (left > 0) letGo.set(workerId, [...(letGo.get(workerId) ?? []), seq]);
    }
    for (const [workerId, triggers] of letGo) {
      void journal.commit('system', { type: 'RequeueTriggers', workerId, triggers }).catch(onFailure);
    }
  };
}
