// Proof that a request comes from whoever knows the Stream's secret: Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, scheme v1), or GitHub's
// X-Hub-Signature-256, which many tools can send.
import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RawRequest } from './transport.ts';

const PREFIX = 'whsec_';
const SECRET_BYTES = 24;
/** How far a sender's clock, or a repeated request, may be off; the value the specification's libraries use. */
const TOLERANCE_SECONDS = 300;

/** A new secret in the form that Standard Webhooks libraries take. */
export const makeSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64');

/** `v1,` and the signature, for `webhook-signature`. */
export function sign(
  secret: string,
  { id, timestamp, body }: { id: string; timestamp: string; body: Uint8Array },
): string {
  return `v1,${digestOf(secret, id, timestamp, body).toString('base64')}`;
}

function digestOf(secret: string, id: string, timestamp: string, body: Uint8Array): Buffer {
  return createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest();
}

/** Keys as the library wants them: to make one costs four times what it costs to sign a body of 1 KB. */
const keys = new Map<string, KeyObject>();
const KEYS_MAX = 1_000;

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known) return known;
  if (keys.size >= KEYS_MAX) keys.clear();
  const bytes = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
  const key = createSecretKey(bytes);
  keys.set(secret, key);
  return key;
}

/** Whether one of the secrets signed exactly these bytes. */
export function isGenuine(request: RawRequest, secrets: readonly string[]): boolean {
  // Every secret is tried, so that the time taken does not tell which one fits.
  let isProven = false;
  for (const secret of secrets) isProven = isStandard(request, secret) || isHubSigned(request, secret) || isProven;
  return isProven;
}

/** `webhook-signature: v1,<base64> v1,<base64>` over `id.timestamp.body`; other versions in the list are skipped. */
function isStandard({ headers, body, at }: RawRequest, secret: string): boolean {
  const id = single(headers['webhook-id']);
  const timestamp = single(headers['webhook-timestamp']);
  const signatures = single(headers['webhook-signature']);
  if (!id || !signatures || !timestamp || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(at.getTime() / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const expected = digestOf(secret, id, timestamp, body);
  return signatures
    .split(' ')
    .some((signature) => signature.startsWith('v1,') && equals(expected, signature.slice(3), 'base64'));
}

/** `X-Hub-Signature-256: sha256=<hex>` over the body; the key is the secret's text as it is shown. */
export function isHubSigned({ headers, body }: RawRequest, secret: string): boolean {
  const signature = single(headers['x-hub-signature-256']);
  if (!signature?.startsWith('sha256=')) return false;
  return equals(createHmac('sha256', secret).update(body).digest(), signature.slice(7), 'hex');
}

function equals(expected: Buffer, given: string, encoding: 'hex' | 'base64'): boolean {
  const bytes = Buffer.from(given, encoding);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? undefined : value);
