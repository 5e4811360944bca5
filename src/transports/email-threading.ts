// Who answers whom: Message-IDs (RFC 5322 §3.6.4). Ours carry the id of the Event they were sent for, so that an answer, a
// bounce or our own mail coming back is recognised by itself, however long ago it was sent.

const MESSAGE_ID = /<([^<>\s\p{Cc}]{1,900})>/gu;
const REFERENCES_MAX = 100;
const OURS = /^<(e-[0-9a-f-]{36})(?:\.(w-[a-z0-9_-]+))?@[^<>\s@]+>$/;

/** The ids in a header such as `References`, with their angle brackets, oldest first. */
export function messageIdsIn(header: string): string[] {
  const found = [...header.slice(0, 100_000).matchAll(MESSAGE_ID)].map(([id]) => id);
  const bare = header.trim();
  if (found.length === 0 && bare.length <= 900 && /^[^\s<>@\p{Cc}]+@[^\s<>\p{Cc}]+$/u.test(bare)) return [`<${bare}>`];
  // The first names the thread; of the rest the newest matter.
  return found.length <= REFERENCES_MAX ? found : [found[0] ?? '', ...found.slice(1 - REFERENCES_MAX)];
}

/** Whether this can stand in a Message-ID header. */
export const isMessageId = (text: string): boolean => /^<[^<>\s\p{Cc}]{1,900}>$/u.test(text);

/**
 * The Message-ID under which an Event is sent: the same on every attempt, so that receivers take a repeat for one.
 * @param recipient the Worker a copy is for
 * @param from the sender's address, whose domain it takes
 */
export function messageIdOf({ eventId, recipient }: { eventId: string; recipient?: string }, from: string): string {
  const domain = from.slice(from.lastIndexOf('@') + 1).toLowerCase();
  return `<${eventId}${recipient === undefined ? '' : `.${recipient}`}@${domain}>`;
}

/** The id of the Event for which a mail with this Message-ID was sent, if it was one of ours; it must still be looked up. */
export const eventIdOfMessageId = (messageId: string): string | undefined => OURS.exec(messageId)?.[1];

/**
 * The headers that let clients file an answer in its thread. A label of our own making, which is no Message-ID, still tells
 * the mails of its thread from others.
 */
export function threadHeaders({ thread_id: thread = '', in_reply_to: parent = '' }: ThreadFields): {
  inReplyTo?: string;
  references?: string;
} {
  const [root, answered] = [bracketed(thread), bracketed(parent)];
  const references = [...new Set([root, answered].filter((id) => id !== ''))];
  if (references.length === 0) return {};
  return { inReplyTo: answered || root, references: references.join(' ') };
}

type ThreadFields = { thread_id?: string; in_reply_to?: string };

function bracketed(id: string): string {
  if (isMessageId(id)) return id;
  return isMessageId(`<${id}>`) ? `<${id}>` : '';
}
