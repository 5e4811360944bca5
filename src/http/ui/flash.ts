// What a form's answer has to say on the page that follows it, kept until that page is shown. In memory: a restart forgets it.

/** `draft` is what was typed into a form that was refused, so that nobody types it twice. */
export type Flash = {
  kind: 'done' | 'refused';
  text: string;
  draft?: { form: string; fields: Record<string, string> };
};

export type Flashes = {
  add(sessionId: string, flash: Flash): void;
  /** What was kept for this session; it is told once. */
  take(sessionId: string): Flash[];
};

const SESSIONS_MAX = 1_000;
const PER_SESSION_MAX = 5;

export function createFlashes(): Flashes {
  const kept = new Map<string, Flash[]>();
  return {
    add(sessionId, flash) {
      const all = [...(kept.get(sessionId) ?? []), flash].slice(-PER_SESSION_MAX);
      kept.delete(sessionId);
      kept.set(sessionId, all);
      const oldest = kept.keys().next();
      if (kept.size > SESSIONS_MAX && !oldest.done) kept.delete(oldest.value);
    },
    take(sessionId) {
      const flashes = kept.get(sessionId) ?? [];
      kept.delete(sessionId);
      return flashes;
    },
  };
}
