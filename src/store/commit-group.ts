// What goes into one transaction: bounded in number, so that reads are not held up, and in bytes, so that the write-ahead log
// stays small.
import type { Command } from '../domain/org.ts';
import type { TranscriptLine } from './transcripts.ts';

/** Commands decided in one transaction; more wait for the next turn. */
const COMMANDS_MAX = 256;
/** Bytes of Messages and transcript lines in one transaction; the first always fits. */
export const GROUP_BYTES_MAX = 16 * 1_048_576;

/**
 * Takes from the beginning of both lists. Commands wait until all lines before them are taken, unless impatient: who speaks,
 * speaks first.
 */
export function takeGroup<Pending extends { command: Command }>(
  queue: Pending[],
  lines: TranscriptLine[],
  isImpatient = false,
): { group: Pending[]; transcript: TranscriptLine[] } {
  let bytes = 0;
  const fits = (size: number) => {
    const isFirst = bytes === 0;
    bytes += size;
    return isFirst || bytes <= GROUP_BYTES_MAX;
  };
  const linesTaken = countWhile(lines, ({ body }) => fits(body.length + 1));
  const transcript = lines.splice(0, linesTaken);
  if (lines.length > 0) {
    if (!isImpatient) return { group: [], transcript };
    bytes = 0;
  }
  const taken = countWhile(queue, ({ command }, index) => index < COMMANDS_MAX && fits(bytesOf(command) + 1));
  return { group: queue.splice(0, taken), transcript };
}

function countWhile<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number {
  const end = items.findIndex((item, index) => !holds(item, index));
  return end < 0 ? items.length : end;
}

function bytesOf(command: Command): number {
  if (!('content' in command) || typeof command.content === 'string') return 0;
  return command.content.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
