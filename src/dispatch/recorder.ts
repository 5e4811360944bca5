// Writes the transcript of one activation. Bounded: a flood is counted, not kept; the exit line always lands.
import type { Segment } from '../domain/agent.ts';
import type { Journal } from '../store/journal.ts';

/** Most bytes of one activation's transcript. */
export const TRANSCRIPT_MAX = 5 * 1_048_576;

export type Recorder = {
  write(segment: Segment): void;
  /** Writes the last line: `=== exit: … ===`. */
  close(exit: string): void;
};

export function createRecorder(
  journal: Pick<Journal, 'transcribe'>,
  { worker, activationId, now }: { worker: string; activationId: string; now: () => Date },
): Recorder {
  let bytes = 0;
  let dropped = 0;
  const line = (body: string, extra?: unknown) => {
    const at = now().toISOString();
    journal.transcribe([{ worker, activationId, at, body, ...(extra === undefined ? {} : { extra }) }]);
  };
  return {
    write({ body, extra }) {
      const size = Buffer.byteLength(body) + (extra === undefined ? 0 : JSON.stringify(extra).length);
      if (bytes + size > TRANSCRIPT_MAX) {
        dropped += 1;
        return;
      }
      bytes += size;
      line(body, extra);
    },
    close(exit) {
      if (dropped > 0) line(`[${dropped} more lines were not kept: a transcript holds at most ${TRANSCRIPT_MAX / 1_048_576} MiB]`);
      line(`=== exit: ${exit} ===`);
    },
  };
}
