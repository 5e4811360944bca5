// An Event that began a conversation is filed in the thread that its answers name: the id under which it was sent.
import type Database from 'better-sqlite3';
import { decodeMessage } from '../../domain/message.ts';
import type { Entry } from '../entries.ts';

export function sentThreadProjector(sqlite: Database.Database): (entry: Entry) => void {
  const content = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();
  const recipient = sqlite.prepare('SELECT recipient FROM deliveries WHERE id = ?').pluck();
  const insert = sqlite.prepare('INSERT OR IGNORE INTO threads VALUES (@thread, @stream, @seq)');
  // Whatever it was sent as, since a later attempt may have forgotten that. A walk through the table, for a rare fact.
  const forget = sqlite.prepare('DELETE FROM threads WHERE stream = @stream AND seq = @seq');
  return ({ event }) => {
    if (event.type === 'EventDelivered') {
      const { messageId: thread, deliveryId, streamId: stream, event: seq } = event;
      if (thread === undefined || recipient.get(deliveryId) != null) return;
      const bytes = content.get(seq) as Buffer | null | undefined;
      // Erased by now, in a replay: then it is in no thread any more.
      if (bytes && decodeMessage(bytes)?.thread_id === undefined) insert.run({ thread, stream, seq });
    }
    if (event.type === 'EventRedacted') {
      const { streamId: stream, event: seq } = event;
      forget.run({ stream, seq });
    }
  };
}
