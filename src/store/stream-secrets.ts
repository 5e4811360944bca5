// The secrets that sign what passes through a Stream: one, and during a rotation the one before it too.
import { conflict } from '../domain/errors.ts';
import type { Settings } from './settings.ts';

type Kept = Pick<Settings, 'secret' | 'setSecret' | 'deleteSecret'>;

const current = (streamId: string) => `stream.${streamId}`;
const previous = (streamId: string) => `stream.${streamId}.previous`;
/** Until when the one before holds stands before it; without a time it holds until it is ended. */
const WITH_TIME = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.+)$/s;

/** Those that hold now, the newest first. */
export function streamSecrets(settings: Pick<Kept, 'secret'>, streamId: string, now: Date): string[] {
  const before = previousOf(settings, streamId, now);
  return [settings.secret(current(streamId)) ?? [], before?.secret ?? []].flat();
}

/** Until when the one before holds; undefined when none does. */
export const overlapUntil = (settings: Pick<Kept, 'secret'>, streamId: string, now: Date): string | undefined =>
  previousOf(settings, streamId, now)?.until;

/**
 * Makes `next` the secret of a Stream, and lets the one it had hold for so long. A crash leaves the old one holding.
 * @returns until when the old one holds; undefined when it ended at once
 * @throws OrgError conflict while another rotation is under way
 */
export function rotateStreamSecret(
  settings: Kept,
  { streamId, next, overlapMs, now }: { streamId: string; next: string; overlapMs: number; now: Date },
): string | undefined {
  const under = overlapUntil(settings, streamId, now);
  if (under !== undefined)
    throw conflict(
      `Two secrets of ${streamId} hold already, the old one until ${under}; end it first with endPrevious: true.`,
    );
  const old = settings.secret(current(streamId));
  const until = new Date(now.getTime() + overlapMs).toISOString();
  const overlaps = old !== undefined && overlapMs > 0;
  if (overlaps) settings.setSecret(previous(streamId), `${until} ${old}`);
  settings.setSecret(current(streamId), next);
  if (!overlaps) settings.deleteSecret(previous(streamId));
  return overlaps ? until : undefined;
}

/** Ends the one before at once. @returns whether there was one that held */
export function endPreviousSecret(settings: Kept, streamId: string, now: Date): boolean {
  const held = previousOf(settings, streamId, now) !== undefined;
  settings.deleteSecret(previous(streamId));
  return held;
}

export function forgetStreamSecrets(settings: Pick<Kept, 'deleteSecret'>, streamId: string): void {
  settings.deleteSecret(current(streamId));
  settings.deleteSecret(previous(streamId));
}

function previousOf(settings: Pick<Kept, 'secret'>, streamId: string, now: Date) {
  const text = settings.secret(previous(streamId));
  if (text === undefined) return undefined;
  const [, until, secret] = WITH_TIME.exec(text) ?? [];
  if (until === undefined || secret === undefined) return { secret: text, until: 'it is ended' };
  return until > now.toISOString() ? { secret, until } : undefined;
}
