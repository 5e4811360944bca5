// Whether the database takes writes now. A full disk is no failure of the daemon, but nothing that is sent to it then is kept.
import type { Db } from './database.ts';

/** An answer holds so long, since anybody may ask and each answer is a write. */
const HOLDS_MS = 2_000;

/** @returns a function that says what is wrong, in a few words; undefined when nothing is */
export function createWriteProbe({ sqlite }: Db): () => string | undefined {
  const write = sqlite.prepare(
    "INSERT INTO counters VALUES ('probe', 1) ON CONFLICT (name) DO UPDATE SET value = (value + 1) % 1000000",
  );
  let askedAt = Number.NEGATIVE_INFINITY;
  let problem: string | undefined;
  return () => {
    if (performance.now() - askedAt < HOLDS_MS) return problem;
    try {
      write.run();
      problem = undefined;
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? '');
      problem = WORDS.find(([begins]) => code.startsWith(begins))?.[1] ?? 'the database cannot be written';
    }
    askedAt = performance.now();
    return problem;
  };
}

const WORDS: [code: string, words: string][] = [
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_READONLY', 'the database is read-only'],
  ['SQLITE_BUSY', 'another program holds the database'],
];
