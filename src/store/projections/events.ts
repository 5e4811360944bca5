import type Database from 'better-sqlite3';
import type { OrgEventEvent } from '../../domain/event.ts';
import { decodeMessage } from '../../domain/message.ts';
import { createAttachmentErasure } from '../attachments.ts';
import type { Projectors } from '../projections.ts';
import { BY_HAND, BY_ITSELF } from './activations.ts';

export function eventProjectors(sqlite: Database.Database): Projectors<OrgEventEvent['type']> {
  const count = sqlite.prepare('UPDATE streams SET last_seq = ?, event_count = event_count + 1 WHERE id = ?');
  const { adopt } = createAttachmentErasure(sqlite);
  const thread = sqlite.prepare('INSERT INTO threads VALUES (@thread, @streamId, @seq)');
  const forgetThread = sqlite.prepare(
    'DELETE FROM threads WHERE thread = @thread AND stream = @streamId AND seq = @event',
  );
  // Still there when this happens; a replay finds it gone, and has filed no thread either.
  const content = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();
  const silence = sqlite.prepare("INSERT INTO held_events VALUES (@seq, 'quiet', @quiet, @seq)");
  const hold = sqlite.prepare("INSERT INTO held_events VALUES (@event, 'held', @reason, @seq)");
  const settle = sqlite.prepare('UPDATE held_events SET state = @state, entry_seq = @seq WHERE seq = @event');
  const requeue = sqlite.prepare(
    "INSERT OR REPLACE INTO set_aside VALUES (@workerId, @event, 'requeued', @reason, @seq)",
  );
  const redact = sqlite.prepare('INSERT OR IGNORE INTO redactions VALUES (@erased, @seq)');
  return {
    EventPublished: ({ streamId, content: parts, quiet }, { seq }) => {
      count.run(seq, streamId);
      for (const part of parts) adopt(part, seq);
      if (quiet !== undefined) silence.run({ seq, quiet });
      const threadId = threadOf(parts.find(({ name }) => name === 'message')?.bytes);
      if (threadId !== undefined) thread.run({ thread: threadId, streamId, seq });
    },
    EventHeld: ({ event, reason }, { seq }) => hold.run({ event, reason, seq }),
    EventReleased: ({ event, workers, stillLimited }, { seq }) => {
      settle.run({ event, state: 'released', seq });
      const reason = stillLimited ? BY_ITSELF : BY_HAND;
      for (const workerId of workers) requeue.run({ workerId, event, reason, seq });
    },
    EventDiscarded: ({ event }, { seq }) => settle.run({ event, state: 'discarded', seq }),
    EventRedacted: ({ event, streamId, alsoErased }, { seq }) => {
      for (const erased of [event, ...alsoErased]) redact.run({ erased, seq });
      const threadId = threadOf(content.get(event) as Buffer | null | undefined);
      if (threadId !== undefined) forgetThread.run({ thread: threadId, streamId, event });
    },
  };
}

/** Large Messages are parsed only when there is something to find. */
function threadOf(bytes: Uint8Array | null | undefined): string | undefined {
  if (!bytes || !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('"thread_id"')) return undefined;
  return decodeMessage(bytes)?.thread_id;
}
