import { withPlus } from '../domain/email-address.ts';
import { ACCOUNT_KEY, type EmailAccount, emailAccount, emailConfig } from './email-config.ts';
import { receiveMail } from './email-inbound.ts';
import { sendMail } from './email-outbound.ts';
import type { Transport } from './transport.ts';

/** Postmark sends 35 MB at most; what is larger than this it keeps and shows as failed. */
const BODY_BYTES_MAX = 25 * 1_048_576;

/** Mail to an alias becomes Events; Events that name addresses leave as mail, by Postmark or an SMTP server. */
export const email = {
  kind: 'email',
  config: emailConfig,
  address: ({ alias }) => `the alias "${alias}"`,
  batch: 'conversation',
  account: {
    key: ACCOUNT_KEY,
    schema: emailAccount,
    secret: ['token', 'inbound_password', 'smtp.pass'],
    describe:
      'Mail: token of a Postmark server, or smtp {host, port, secure, user, pass}; inbound and from addresses; ' +
      'inbound_user and inbound_password, which the webhook must give; disable_reply_to.',
  },
  receive: {
    path: '/email/postmark',
    bodyBytesMax: BODY_BYTES_MAX,
    accepted: 204,
    handle: receiveMail,
    describe(url, { alias }, setting) {
      const account = setting as EmailAccount | undefined;
      if (!account)
        return { webhook: url, next: `Set ${ACCOUNT_KEY}, then give Postmark this URL as the inbound webhook.` };
      const open = 'Anybody who knows the URL can post mail here until inbound_user and inbound_password are set.';
      return {
        address: withPlus(account.inbound, alias),
        webhook: url,
        ...(account.inbound_user === undefined ? { warning: open } : {}),
      };
    },
  },
  send: sendMail,
} satisfies Transport<typeof emailConfig>;
