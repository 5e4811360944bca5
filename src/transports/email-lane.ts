// Whom a mail is to, and which line it waits in.
import { parseMailboxes } from '../domain/email-address.ts';
import type { Message } from '../domain/message.ts';

/** The addresses among those a Message names; Worker ids and other names are not for the post. */
export function recipientsOf({ to = [], cc = [] }: Pick<Message, 'to' | 'cc'>): { to: string[]; cc: string[] } {
  const plain = (named: string[]) => named.filter((name) => !/\p{Cc}/u.test(name));
  const addresses = (named: string[]) =>
    plain(named)
      .flatMap(parseMailboxes)
      .map(({ address }) => address);
  const first = [...new Set(addresses(to))];
  return { to: first, cc: [...new Set(addresses(cc))].filter((address) => !first.includes(address)) };
}

/** The line a mail waits in: its conversation, else whom it is to. */
export function laneOf(message: Message): { lane: string } | { stays: string } {
  const { to } = recipientsOf(message);
  if (to.length === 0) return { stays: 'no recipient (Message.To is empty)' };
  return { lane: message.thread_id ?? to.join(' ').toLowerCase() };
}
