import { z } from 'zod';
import { forbidden } from '../domain/errors.ts';
import { readDelivery } from './github-delivery.ts';
import { githubConfig, isFor } from './github-filter.ts';
import { toContent } from './github-message.ts';
import { originOf, recallMark } from './github-origin.ts';
import { type Inbound, type Transport, Unready } from './transport.ts';
import { isHubSigned } from './webhook-signature.ts';

/** The most that GitHub sends. */
const BODY_BYTES_MAX = 25 * 1_048_576;

const account = z
  .strictObject({
    webhook_secret: z.string().min(1, 'transport.github: webhook_secret is empty').optional(),
    token: z.string().min(1, 'transport.github: token is empty; leave it out when there is none').optional(),
    api_url: z.url({ protocol: /^https?$/, error: 'transport.github: api_url is no http(s) URL' }).optional(),
  })
  .refine(
    ({ webhook_secret, token }) => webhook_secret ?? token,
    'transport.github: give webhook_secret, token or both',
  );

export type GithubAccount = z.output<typeof account>;

/** What happens in a repository becomes Events; answers go out by the `gh` command, not through the Stream. */
export const github = {
  kind: 'github',
  config: githubConfig,
  inboundOnly:
    'publish is not supported on github transport streams; use `gh` from your Environment to act on the repo',
  account: {
    key: 'transport.github',
    schema: account,
    secret: ['webhook_secret', 'token'],
    describe: 'GitHub: webhook_secret, by which deliveries are proven; token, for gh and `helix-org github`; api_url.',
  },
  receive: {
    path: '/github/webhook',
    bodyBytesMax: BODY_BYTES_MAX,
    accepted: 204,
    handle(request, streams, settings): Inbound[] {
      const secret = (settings as GithubAccount | undefined)?.webhook_secret;
      if (!secret) throw new Unready('transport not configured');
      if (!isHubSigned(request, secret)) throw forbidden('invalid signature');
      const delivery = readDelivery(request);
      const meant = streams.filter(({ config }) => isFor(delivery, config));
      if (meant.length === 0) return [];
      const content = toContent(delivery, request.body);
      const key = delivery.id && { delivery: { provider: 'github', key: delivery.id, ownKey: false } };
      const origin = originOf(delivery);
      return meant.map(({ id }) => ({ streamId: id, content, ...(key || {}), ...(origin && { origin }) }));
    },
    recall: recallMark,
    describe: (url, { repo }, settings) => ({
      url,
      next: (settings as GithubAccount | undefined)?.token
        ? `helix-org github connect ${repo} --stream ID makes the webhook on GitHub and tries it.`
        : 'Give a token that may manage webhooks, or the secret of a webhook made by hand: helix-org config set ' +
          `transport.github '{"token": "…"}', then helix-org github connect ${repo} --stream ID.`,
    }),
  },
} satisfies Transport<typeof githubConfig>;
