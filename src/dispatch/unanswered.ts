// Who asked a Worker in person and got no answer is told so where they asked. It wakes nobody: an AI that asked reads it when
// it looks, or in a long poll.
import { asksDirectly } from '../domain/activation.ts';
import type { ContentPart } from '../domain/entry.ts';
import { decodeMessage, encodeMessage, type Message } from '../domain/message.ts';
import type { Org } from '../domain/org.ts';
import type { Entry } from '../store/entries.ts';
import type { Batch } from '../store/inbox.ts';

/** One for each Stream on which Workers asked this one, about the latest question. */
export function unansweredRemarks(
  org: Org,
  { workerId, triggers }: Pick<Batch, 'workerId' | 'triggers'>,
): { streamId: string; content: ContentPart[] }[] {
  const latest = new Map<string, { id: string; asker: string; message: Message }>();
  for (const { event, actor, content } of triggers) {
    if (event.type !== 'EventPublished' || !org.workers.has(actor)) continue;
    const message = messageOf(content);
    const purpose = org.streams.get(event.streamId)?.purpose;
    if (asksDirectly(message, purpose, workerId)) latest.set(event.streamId, { id: event.id, asker: actor, message });
  }
  return [...latest].map(([streamId, { id, asker, message }]) => ({
    streamId,
    content: [{ name: 'message', bytes: encodeMessage(remark(workerId, { id, asker, message })) }],
  }));
}

function messageOf(content: Entry['content']): Message {
  const bytes = content.find(({ name }) => name === 'message')?.bytes;
  return (bytes && decodeMessage(bytes)) ?? {};
}

function remark(workerId: string, { id, asker, message }: { id: string; asker: string; message: Message }): Message {
  return {
    from: 'helix-org',
    to: [asker],
    body: `${workerId} finished without reply.`,
    in_reply_to: id,
    ...(message.thread_id ? { thread_id: message.thread_id } : {}),
  };
}
