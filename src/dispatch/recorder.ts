// Writes the transcript of one activation. Bounded: a flood is counted, not kept; the exit line always lands.
import type { Segment } from '../domain/agent.ts';
import type { Journal } from '../store/journal.ts';
import { type Mask, maskAll } from '../store/mask.ts';

/** Most bytes of one activation's transcript. */
export const TRANSCRIPT_MAX = 5 * 1_048_576;
/** What a line costs besides its text. */
const LINE_BYTES = 100;

export type Recorder = {
  /** False when the transcript is full; nothing more is taken then. */
  write(segment: Segment): boolean;
  /** Writes the last line, `=== exit: … ===`, and before it what could not be kept. */
  close(exit: string, droppedBytes?: number): void;
};

export type RecorderOptions = { worker: string; activationId: string; now: () => Date; mask?: Mask };

export function createRecorder(
  journal: Pick<Journal, 'transcribe'>,
  { worker, activationId, now, mask = (text) => text }: RecorderOptions,
): Recorder {
  let bytes = 0;
  const line = (body: string, extra?: unknown) => {
    const at = now().toISOString();
    journal.transcribe([{ worker, activationId, at, body, ...(extra === undefined ? {} : { extra }) }]);
  };
  return {
    write(segment) {
      const { body, extra } = maskAll(mask, segment);
      bytes += LINE_BYTES + Buffer.byteLength(body) + (extra === undefined ? 0 : JSON.stringify(extra).length);
      if (bytes > TRANSCRIPT_MAX) return false;
      line(body, extra);
      return true;
    },
    close(exit, droppedBytes) {
      if (bytes > TRANSCRIPT_MAX) {
        const dropped = droppedBytes === undefined ? '' : `; ${droppedBytes} more bytes came`;
        line(`[the transcript is full: it holds at most ${TRANSCRIPT_MAX / 1_048_576} MiB${dropped}]`);
      }
      line(`=== exit: ${exit} ===`);
    },
  };
}
