// GitHub's side: recorded payloads, and deliveries signed as GitHub signs them.
import { createHmac } from 'node:crypto';
import examples from '@octokit/webhooks-examples';

export const WEBHOOK_SECRET = 'a webhook secret';

export type Recorded = { event: string; payload: Record<string, unknown> };

/** Every payload that `@octokit/webhooks-examples` recorded. */
export const recorded: Recorded[] = (
  examples as unknown as { name: string; examples: Record<string, unknown>[] }[]
).flatMap(({ name, examples: payloads }) => payloads.map((payload) => ({ event: name, payload })));

export type SentDelivery = {
  event?: string;
  id?: string;
  /** An object is sent as JSON. */
  body: string | Uint8Array | object;
  secret?: string;
  headers?: Record<string, string>;
};

let deliveries = 0;

/** Body and headers of a delivery. */
export function delivery({ event = 'issues', id, body, secret = WEBHOOK_SECRET, headers = {} }: SentDelivery) {
  const bytes = Buffer.from(
    typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  );
  return {
    bytes,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-event': event,
      'x-github-delivery': id ?? `d-${++deliveries}`,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`,
      ...headers,
    } as Record<string, string>,
  };
}

/** Delivers to a daemon. */
export async function deliver(url: string, sent: SentDelivery): Promise<{ status: number; text: string }> {
  const { bytes, headers } = delivery(sent);
  const response = await fetch(`${url}/github/webhook`, { method: 'POST', headers, body: bytes });
  return { status: response.status, text: (await response.text()).trim() };
}

/** The payload of an issue's delivery. */
export const issue = (more: Record<string, unknown> = {}, repo = 'acme/site'): Record<string, unknown> => ({
  action: 'opened',
  issue: { number: 7, title: 'It breaks', body: 'Every time.', labels: [{ name: 'docs' }], user: { login: 'ana' } },
  repository: { full_name: repo },
  sender: { login: 'ana' },
  ...more,
});
