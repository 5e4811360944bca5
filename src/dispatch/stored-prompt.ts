import type { Queries } from '../store/queries.ts';

/** The same words are kept once: an agent that is tried again and again with the same batch must not fill the disk. */
export function storedPrompt(queries: Queries, workerId: string, prompt: string) {
  const bytes = Buffer.from(prompt);
  const [last] = queries.activationsOf(workerId, 1);
  const before = last && queries.prompt(last.seq);
  if (before && bytes.equals(before.bytes)) return { content: [], promptOf: before.seq };
  return { content: [{ name: 'prompt', bytes }] };
}
