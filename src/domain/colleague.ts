import { NOTICES } from './ids.ts';
import { mayRead } from './may-read.ts';
import type { Message } from './message.ts';
import type { Org } from './org.ts';

/**
 * The people to whom an Event goes by mail as well, because it is for them and they have an address: the other side of a direct
 * message, whoever `to` and `cc` name and may read it, and who listens to the notices.
 */
export function mailedColleagues(
  org: Org,
  { streamId, actor, message }: { streamId: string; actor: string; message: Message },
): string[] {
  const stream = org.streams.get(streamId);
  // What the daemon remarks in a conversation is for those who look at it.
  if (streamId !== NOTICES && !org.workers.has(actor)) return [];
  // A conversation begins with its first message.
  const mayListen = (workerId: string) => stream === undefined || mayRead(org, workerId, streamId);
  const meant =
    streamId === NOTICES
      ? [...(org.subscriptions.get(NOTICES)?.keys() ?? [])]
      : stream?.purpose === 'dm'
        ? stream.members
        : stream === undefined || stream.purpose === 'open'
          ? [...(message.to ?? []), ...(message.cc ?? [])]
          : [];
  return [...new Set(meant)].filter((workerId) => {
    const worker = org.workers.get(workerId);
    return workerId !== actor && typeof worker?.email === 'string' && mayListen(workerId);
  });
}
