import { OWNER } from './ids.ts';
import type { Org } from './org.ts';

/**
 * Who may read a Stream. The one place that says so: tools, pages, live feeds, search and resources all ask here.
 * Conversations: their members. A transcript: its Worker and the one who hired it. A private Stream: its subscribers.
 * Any other: every Worker. The owner reads everything. An unknown Stream is nobody's.
 */
export function mayRead(org: Org, workerId: string, streamId: string): boolean {
  const stream = org.streams.get(streamId);
  const worker = org.workers.get(workerId);
  if (!stream || !worker || worker.firedAt !== null) return false;
  if (workerId === OWNER) return true;
  switch (stream.purpose) {
    case 'dm':
    case 'chat':
    case 'transcript':
      return stream.members.includes(workerId);
    case 'notices':
      return org.subscriptions.get(streamId)?.has(workerId) === true;
    case 'open':
      return !stream.private || org.subscriptions.get(streamId)?.has(workerId) === true;
  }
}
