// For which Streams a mail is meant. Its address names the alias after the `+` (`hash+sam@…`), or is the alias itself where
// the domain is ours (`sam@mail.example.com`).
import { type Mailbox, parseMailboxes, partsOf } from '../domain/email-address.ts';
import { invalid, notFound, type OrgError } from '../domain/errors.ts';
import type { EmailAccount, EmailConfig } from './email-config.ts';
import { mailboxesOf, type Payload, textOf } from './email-payload.ts';
import type { TransportStream } from './transport.ts';

export type Meant = { streamId: string; recipient: string };

export type Addressing = {
  /** Each Stream once. */
  meant: Meant[];
  /** Plus-parts that are no alias, among which may be a reply address of ours. */
  tokens: string[];
  /** What to answer when nothing else tells where the mail belongs. */
  refusal: OrgError;
  /** The address to name when something else does. */
  recipient: string;
};

/**
 * `OriginalRecipient` is the address under which the mail reached us, so it counts first; `To`, `Cc` and `Bcc` name the
 * other Streams the same mail was written to.
 */
export function addressing(
  payload: Payload,
  streams: readonly TransportStream<EmailConfig>[],
  account: EmailAccount | undefined,
): Addressing {
  const byAlias = new Map(streams.map(({ id, config }) => [config.alias.toLowerCase(), id]));
  const ourDomain = account && partsOf(account.inbound).domain;
  const original = parseMailboxes(textOf(payload, 'OriginalRecipient'));
  const written = (['To', 'Cc', 'Bcc'] as const).flatMap((field) => mailboxesOf(payload, field));
  const named = new Map<string, string>();
  const tokens: string[] = [];
  const unknown: string[] = [];
  const look = ({ address }: Mailbox, isBareOurs: boolean) => {
    const { local, plus, domain } = partsOf(address);
    const alias = plus?.toLowerCase();
    if (alias === undefined) {
      const bare = byAlias.get(local.toLowerCase());
      if (bare !== undefined && (isBareOurs || domain === ourDomain) && !named.has(bare)) named.set(bare, address);
      return;
    }
    const streamId = byAlias.get(alias);
    if (streamId !== undefined && !named.has(streamId)) named.set(streamId, address);
    if (streamId !== undefined) return;
    tokens.push(plus ?? '');
    unknown.push(plus ?? '');
  };
  for (const mailbox of original) look(mailbox, true);
  for (const mailbox of written) look(mailbox, false);
  const recipient = original[0]?.address ?? written[0]?.address ?? '';
  return {
    meant: [...named].map(([streamId, address]) => ({ streamId, recipient: address })),
    tokens: tokens.slice(0, 20),
    refusal:
      unknown[0] === undefined
        ? invalid('no alias on recipient')
        : notFound(`no email stream with alias "${unknown[0].slice(0, 80)}"`),
    recipient,
  };
}
