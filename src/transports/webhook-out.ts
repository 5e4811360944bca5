// An Event as a request to somebody's URL: the stored Message, signed with the Stream's secret as in Standard Webhooks.
import type { Deliverer } from '../domain/delivery.ts';
import { DeliveryFailure } from '../domain/delivery.ts';
import { checkAnswer } from './answer.ts';
import { sign } from './webhook-signature.ts';

const ATTEMPT_MS = 5_000;

/** Why a URL cannot be sent to, in the words for whoever gave it; undefined when it can. */
export function problemOfUrl(url: string): string | undefined {
  const shown = JSON.stringify(url.slice(0, 200));
  if (/[\0- \x7f]/.test(url)) return `outbound_url: ${shown} holds a space or a control character`;
  if (!/^https?:/i.test(url)) return `outbound_url must be an absolute http(s) URL, got ${shown}`;
  if (!/^https?:\/\/[^/?#]/i.test(url)) return `outbound_url has no host: ${shown}`;
  const target = URL.parse(url);
  if (!target) return `outbound_url: ${shown} cannot be parsed as a URL`;
  if (target.username !== '' || target.password !== '')
    return 'outbound_url must not hold a user name or password; requests are signed with the secret of the Stream instead';
  return undefined;
}

export const webhookOut: Deliverer<{ outbound_url?: string | undefined }> = {
  attemptMs: ATTEMPT_MS,
  /** A thread is a line; what belongs to none shares one. */
  lane: ({ thread_id: thread = '' }, { outbound_url: url }) => (url === undefined ? undefined : { lane: thread }),
  async deliver({ config, deliveryId, streamId, eventId, hops, bytes, secrets }, { request, signal, now }) {
    if (config.outbound_url === undefined)
      throw new DeliveryFailure('refused', 'the Stream has no outbound_url any more');
    if (secrets.length === 0)
      throw new DeliveryFailure('retry', 'the secret of the Stream is not set; rotate_secret makes one');
    const timestamp = String(Math.floor(now.getTime() / 1_000));
    const answer = await request(config.outbound_url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': deliveryId,
        'webhook-timestamp': timestamp,
        'webhook-signature': secrets
          .map((secret) => sign(secret, { id: deliveryId, timestamp, body: bytes }))
          .join(' '),
        'x-helix-stream': streamId,
        'x-helix-event': eventId,
        'x-helix-hops': String(hops),
      },
      body: bytes,
      signal,
    });
    checkAnswer(answer, now);
    return { detail: `HTTP ${answer.status}` };
  },
};
