import type { Journal } from '../store/journal.ts';

/** Counts what the run publishes and changes, as the journal sees it. */
export function countChanges(journal: Journal, activationId: string) {
  const counts = { published: 0, changed: 0 };
  const stop = journal.onCommit((entries) => {
    for (const entry of entries) {
      if (entry.activationId !== activationId || entry.actor === 'system') continue;
      if (entry.event.type === 'EventPublished') counts.published += 1;
      else counts.changed += 1;
    }
  });
  return { counts: () => ({ ...counts }), stop };
}
