// What is said about mail in settings: per Stream its alias, for all of them the account that sends and receives.
import { z } from 'zod';
import { isEmailAddress, parseMailboxes } from '../domain/email-address.ts';

/** Local parts have 64 characters at most (RFC 5321 §4.5.3.1.1), and the inbound address has some before the `+`. */
const ALIAS = /^[a-z0-9_-]{1,40}$/;
const FROM_NAME_MAX = 100;

export const emailConfig = z.strictObject(
  {
    alias: z
      .string({ error: 'email transport: alias is required' })
      .min(1, 'email transport: alias is required')
      .regex(ALIAS, {
        error: ({ input }) =>
          `email transport: alias ${JSON.stringify(String(input).slice(0, 80))} must be lowercase alphanumeric / dash / underscore (no @, +, dots)`,
      }),
    from_name: z
      .string({ error: 'parse email config: from_name must be text' })
      .max(FROM_NAME_MAX, `parse email config: from_name is longer than ${FROM_NAME_MAX} characters`)
      .refine((name) => !/\p{Cc}/u.test(name), 'parse email config: from_name must be one line')
      .optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `parse email config: it has no ${issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')} (valid: "alias", "from_name")`
        : 'parse email config: it must be an object',
  },
);

export type EmailConfig = z.output<typeof emailConfig>;

export const ACCOUNT_KEY = 'transport.postmark';
const say = (text: string) => `${ACCOUNT_KEY}: ${text}`;

const address = (name: string) =>
  z.string({ error: say(`${name} is missing; it is an email address`) }).refine(isEmailAddress, {
    error: ({ input }) => say(`${name} ${JSON.stringify(String(input).slice(0, 80))} is not an email address`),
  });

const text = (name: string) => z.string({ error: say(`${name} must be text`) }).min(1, say(`${name} is empty`));

const smtp = z.strictObject(
  {
    host: text('smtp.host'),
    port: z.int(say('smtp.port must be a number')).min(1).max(65_535).optional(),
    secure: z.boolean({ error: say('smtp.secure must be true or false') }).optional(),
    user: text('smtp.user').optional(),
    pass: text('smtp.pass').optional(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? say('smtp must be an object') : undefined) },
);

export const emailAccount = z
  .strictObject({
    token: z.string().min(1, say('token is empty')).optional(),
    inbound: address('inbound'),
    from: z.string({ error: say('from is missing; it is an email address') }).refine(isMailbox, {
      error: ({ input }) => say(`from ${JSON.stringify(String(input).slice(0, 80))} is not an email address`),
    }),
    disable_reply_to: z.boolean({ error: say('disable_reply_to must be true or false') }).optional(),
    inbound_user: text('inbound_user').optional(),
    inbound_password: text('inbound_password').optional(),
    message_stream: text('message_stream').optional(),
    smtp: smtp.optional(),
    api_url: z.url({ protocol: /^https?$/, error: say('api_url is no http(s) URL') }).optional(),
  })
  .refine(({ token, smtp }) => token ?? smtp, say('token is empty'))
  .refine(
    ({ inbound_user: user, inbound_password: password }) => (user === undefined) === (password === undefined),
    say('inbound_user and inbound_password go together'),
  );

/** The setting `transport.postmark`; checked when it is set. */
export type EmailAccount = z.output<typeof emailAccount>;

/** One mailbox, with or without a name. */
function isMailbox(text: string): boolean {
  const [mailbox, ...others] = parseMailboxes(text);
  return mailbox !== undefined && others.length === 0 && !/[\p{Cc}]/u.test(text);
}
