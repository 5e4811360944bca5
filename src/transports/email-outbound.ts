import { type Deliverer, DeliveryFailure } from '../domain/delivery.ts';
import type { EmailAccount, EmailConfig } from './email-config.ts';
import { laneOf } from './email-lane.ts';

/** Events as mail: by an SMTP server where one is set, else by Postmark. */
export const sendMail: Deliverer<EmailConfig> = {
  attemptMs: 10_000,
  lane: laneOf,
  async deliver(outbound, tools) {
    const account = tools.account as EmailAccount | undefined;
    // It can be set at any time, and then the mail goes.
    if (!account) throw new DeliveryFailure('retry', 'transport not configured: set transport.postmark');
    // What writes and carries a letter is loaded with the first one: it takes 45 MB, and many a daemon sends none.
    const { letterOf } = await import('./email-letter.ts');
    const letter = letterOf(outbound, account, tools);
    if (account.smtp) return (await import('./email-smtp.ts')).sendBySmtp(letter, account, tools);
    return (await import('./email-postmark.ts')).sendByPostmark(letter, account, tools);
  },
};
