import { z } from 'zod';
import { forbidden, invalid } from '../domain/errors.ts';
import type { Inbound, RawRequest, Transport } from './transport.ts';
import { toContent } from './webhook-message.ts';
import { problemOfUrl, webhookOut } from './webhook-out.ts';
import { isGenuine } from './webhook-signature.ts';

const BODY_BYTES_MAX = 1_048_576;
const KEY_LENGTH_MAX = 255;
/** Far above any limit that is set; larger claims say nothing more. */
const HOPS_MAX = 1_000;

const config = z.strictObject(
  {
    outbound_url: z
      .string({ error: 'parse webhook config: outbound_url must be a string' })
      .superRefine((url, context) => {
        const problem = problemOfUrl(url);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional(),
    secret: z
      .boolean({
        error: 'webhook secret must be true or false, never the secret itself: pass secret: true; the daemon makes one',
      })
      .optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys) : 'webhook config must be an object',
  },
);

function unknownKeys(keys: string[]): string {
  return `webhook config has no ${keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')} (valid: "outbound_url", "secret")`;
}

/**
 * Any program's POST becomes an Event with its body verbatim; with `secret`, only signed ones do. With `outbound_url`, what
 * Workers publish is posted there, always signed.
 */
export const webhook = {
  kind: 'webhook',
  config,
  signs: ({ outbound_url: url, secret }) => secret === true || url !== undefined,
  send: webhookOut,
  receive: {
    path: '/webhooks/:stream',
    bodyBytesMax: BODY_BYTES_MAX,
    handle: (request, streams) =>
      streams.map(({ id, config: { secret }, secrets }) => {
        if (secret && !isGenuine(request, secrets)) throw forbidden(UNPROVEN);
        if (request.body.length === 0) throw invalid('body is empty');
        return { streamId: id, content: toContent(request), ...deliveryOf(request), ...originOf(request) };
      }),
    describe: (url, { secret }) => ({ url, curl: secret ? signedCurl(url) : `curl -d 'hello' '${url}'` }),
  },
} satisfies Transport<typeof config>;

const UNPROVEN =
  'This Stream takes signed requests only: send webhook-id, webhook-timestamp (within 5 minutes) and webhook-signature ' +
  'as in Standard Webhooks, or X-Hub-Signature-256, over the exact bytes of the body.';

/** `webhook-id` comes first: it is what a Standard Webhooks signature covers, so a replay cannot pass for something new. */
function deliveryOf({ headers }: RawRequest): Pick<Inbound, 'delivery'> {
  for (const [name, ownKey] of [
    ['webhook-id', false],
    ['idempotency-key', true],
  ] as const) {
    const key = headers[name];
    if (typeof key !== 'string' || key === '') continue;
    if (key.length > KEY_LENGTH_MAX) throw invalid(`${name} is longer than ${KEY_LENGTH_MAX} characters`);
    return { delivery: { provider: name, key, ownKey } };
  }
  return {};
}

/** What another Stream sent out, of ours or of another organisation. */
function originOf({ headers }: RawRequest): Pick<Inbound, 'origin'> {
  const eventId = headers['x-helix-event']?.toString();
  const hops = headers['x-helix-hops']?.toString();
  if (eventId === undefined && hops === undefined) return {};
  const said = /^\d{1,4}$/.test(hops ?? '') ? Math.min(Number(hops), HOPS_MAX) : 0;
  return { origin: { hops: said, ...(eventId === undefined ? {} : { eventId }) } };
}

function signedCurl(url: string): string {
  const signature = `$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/.* //')`;
  return `SECRET='…'; BODY='hello'; curl --data-binary "$BODY" -H "X-Hub-Signature-256: sha256=${signature}" '${url}'`;
}
