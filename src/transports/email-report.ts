// Reports on mail we sent: bounces and complaints become Events where the mail was published.
// https://postmarkapp.com/developer/webhooks/bounce-webhook
import { encodeMessage } from '../domain/message.ts';
import { objectOf, type Payload, textOf } from './email-payload.ts';
import type { Inbound } from './transport.ts';

/** Under this name each mail carries the id of its Event as metadata, which Postmark gives back in reports. */
export const EVENT_METADATA = 'helix-event';

const FIELD_MAX = 4_096;
const KINDS: Record<string, string> = { Bounce: 'bounce', SpamComplaint: 'complaint' };

/** What a report says of an Event of ours; `ignored` for those that need nobody, undefined when this is no report but a mail. */
export function readReport(payload: Payload): Inbound | 'ignored' | undefined {
  const type = textOf(payload, 'RecordType');
  if (type === '' || type === 'Inbound') return undefined;
  const kind = KINDS[type];
  const eventId = textOf(objectOf(payload, 'Metadata'), EVENT_METADATA);
  if (kind === undefined || eventId === '') return 'ignored';
  const text = (field: string) => textOf(payload, field).slice(0, FIELD_MAX);
  const [email, name, description, details] = ['Email', 'Name', 'Description', 'Details'].map(text);
  const what = kind === 'bounce' ? `did not reach ${email}` : `was reported as spam by ${email}`;
  const id = Number.isSafeInteger(payload.ID) ? String(payload.ID) : text('MessageID');
  const extra = {
    event: kind,
    type: text('Type'),
    email,
    at: text('BouncedAt'),
    // Postmark sends nothing more to this address until it is reactivated there.
    inactive: payload.Inactive === true,
    postmark_id: text('MessageID'),
  };
  const message = {
    from: 'mailer-daemon',
    subject: `${kind === 'bounce' ? 'Undeliverable' : 'Spam complaint'}: ${text('Subject')}`.trim(),
    body: [`The mail ${what}: ${name}.`, description, details].filter(Boolean).join('\n'),
    in_reply_to: eventId,
    extra,
  };
  return {
    streamId: '',
    content: [{ name: 'message', bytes: encodeMessage(message) }],
    quiet: `a ${kind} report`,
    delivery: { provider: `postmark-${kind}`, key: `${id} ${email}`.slice(0, 255), ownKey: false },
    ties: { reportOn: eventId, answers: [], fromUs: false, sender: '', reply: '', tokens: [] },
  };
}
