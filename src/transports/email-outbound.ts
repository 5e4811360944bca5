import { type Deliverer, DeliveryFailure } from '../domain/delivery.ts';
import type { EmailAccount, EmailConfig } from './email-config.ts';
import { laneOf, letterOf } from './email-letter.ts';
import { sendByPostmark } from './email-postmark.ts';
import { sendBySmtp } from './email-smtp.ts';

/** Events as mail: by an SMTP server where one is set, else by Postmark. */
export const sendMail: Deliverer<EmailConfig> = {
  attemptMs: 10_000,
  lane: laneOf,
  async deliver(outbound, tools) {
    const account = tools.account as EmailAccount | undefined;
    // It can be set at any time, and then the mail goes.
    if (!account) throw new DeliveryFailure('retry', 'transport not configured: set transport.postmark');
    const letter = letterOf(outbound, account, tools);
    return account.smtp ? sendBySmtp(letter, account, tools) : sendByPostmark(letter, account, tools);
  },
};
