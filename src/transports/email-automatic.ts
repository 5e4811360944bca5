// Mail that no person wrote to us: it is recorded, and wakes nobody. Answering it would go on for ever, or reach a whole list.
import { partsOf } from '../domain/email-address.ts';
import type { EmailAccount } from './email-config.ts';
import { headerValues, type MailHeader } from './email-payload.ts';

type Mail = { from: string; headers: readonly MailHeader[] };

/** Why this mail wakes nobody; undefined when a person wrote it, as far as it says. RFC 3834, RFC 3464, RFC 2919. */
export function automaticReason({ from, headers }: Mail): string | undefined {
  const first = (name: string) => headerValues(headers, name)[0]?.trim().toLowerCase() ?? '';
  const local = from.slice(0, Math.max(0, from.lastIndexOf('@'))).toLowerCase();
  if (headerValues(headers, 'return-path').some((path) => path.trim() === '<>')) return 'a bounce: it has no sender';
  if (local === 'mailer-daemon' || (local === 'postmaster' && /report/.test(first('content-type'))))
    return 'a bounce: it comes from a mail server';
  if (/^multipart\/report\b/.test(first('content-type'))) return 'a report of a mail server';
  if (first('x-failed-recipients') !== '') return 'a bounce: it names failed recipients';
  const submitted = first('auto-submitted').split(/[;\s]/)[0] ?? '';
  if (submitted !== '' && submitted !== 'no') return `an automatic mail (Auto-Submitted: ${submitted})`;
  for (const name of ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-reply']) {
    const value = first(name);
    if (value !== '' && value !== 'no' && value !== 'false') return `an automatic reply (${name})`;
  }
  const precedence = first('precedence');
  if (/^(auto[-_]reply|bulk|junk|list)\b/.test(precedence)) return `mass mail (Precedence: ${precedence.slice(0, 20)})`;
  for (const name of ['list-id', 'list-unsubscribe', 'list-post', 'feedback-id'])
    if (first(name) !== '') return `mail of a list or a mass mailing (${name})`;
  return undefined;
}

/** Whether a mail says it comes from an address that only we use: the one we send from, or one of our Streams. */
export function isOwnAddress(address: string, account: EmailAccount | undefined, senders: readonly string[]): boolean {
  if (!account) return false;
  const given = address.toLowerCase();
  if (senders.some((sender) => sender.toLowerCase() === given)) return true;
  const [mine, theirs] = [partsOf(account.inbound.toLowerCase()), partsOf(given)];
  return theirs.domain === mine.domain && theirs.local === mine.local;
}
