import { forbidden } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import { requireStream } from '../domain/stream.ts';
import type { ToolContext } from './define-tool.ts';

/** Refuses a Stream that does not exist or that the caller may not read; a deleted one keeps its history. */
export function requireReadable({ journal, caller }: Pick<ToolContext, 'journal' | 'caller'>, streamId: string): void {
  const { org } = journal;
  const stream = org.streams.get(streamId) ?? requireStream(org, streamId);
  if (mayRead(org, caller.workerId, streamId)) return;
  if (stream.purpose === 'transcript') {
    throw forbidden(`${streamId} is a transcript: its Worker, who hired it, and the owner read it.`);
  }
  throw forbidden(`You may not read ${streamId}; ask a member to invite you.`);
}
