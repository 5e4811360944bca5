// Mail by any SMTP server.
import { createTransport } from 'nodemailer';
import { DeliveryFailure, type DeliveryTools, type Receipt } from '../domain/delivery.ts';
import type { EmailAccount } from './email-config.ts';
import { EVENT_HEADER, type Letter } from './email-letter.ts';
import { EVENT_METADATA } from './email-report.ts';

const TIMEOUT_MS = 10_000;
const SECURE_PORT = 465;
const SUBMISSION_PORT = 587;
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** @throws DeliveryFailure with what the server says */
export async function sendBySmtp(
  letter: Letter,
  { smtp }: Pick<EmailAccount, 'smtp'>,
  { signal }: Pick<DeliveryTools, 'signal'>,
): Promise<Receipt> {
  if (!smtp) throw new DeliveryFailure('retry', 'transport.postmark: smtp is not set');
  const { host, secure, user, pass, port = secure ? SECURE_PORT : SUBMISSION_PORT } = smtp;
  const transport = createTransport({
    host,
    port,
    secure: secure ?? port === SECURE_PORT,
    ...(user === undefined ? {} : { auth: { user, pass: pass ?? '' } }),
    // A password never goes over the network in the clear.
    requireTLS: user !== undefined && !LOOPBACK.test(host),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const close = () => transport.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    const { response, rejected } = await transport.sendMail(mailOf(letter));
    const missing = rejected.length > 0 ? `; not taken for ${rejected.join(', ')}` : '';
    return { messageId: letter.messageId, detail: `${response}${missing}`.slice(0, 500) };
  } catch (error) {
    throw failureOf(error as SmtpError);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function mailOf(letter: Letter): Parameters<ReturnType<typeof createTransport>['sendMail']>[0] {
  const { from, to, cc, replyTo, subject, text, html, messageId, inReplyTo, references, files } = letter;
  return {
    from,
    to,
    cc,
    replyTo,
    subject,
    text,
    html,
    messageId,
    inReplyTo,
    references,
    // What Postmark's own SMTP server needs in order to keep the id and to name the Event in reports; others pass it on.
    headers: {
      ...letter.headers,
      'X-PM-KeepID': 'true',
      [`X-PM-Metadata-${EVENT_METADATA}`]: letter.headers[EVENT_HEADER] ?? '',
    },
    attachments: files.map(({ filename, type: contentType, bytes, contentId: cid }) => ({
      filename,
      contentType,
      content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      ...(cid === undefined ? {} : { cid }),
    })),
  };
}

type SmtpError = Error & { code?: string; responseCode?: number; response?: string };

/** 5xx is final (RFC 5321 §4.2.1), but not for who we are: that is ours to set right, and the mail is no worse for it. */
function failureOf({ message, code = '', responseCode = 0, response }: SmtpError): DeliveryFailure {
  const isAboutUs = ['EAUTH', 'ETLS', 'ECONNECTION', 'ETIMEDOUT', 'EDNS', 'ESOCKET', 'EPROTOCOL'].includes(code);
  const isFinal = responseCode >= 500 && responseCode < 600 && !isAboutUs && !/^5\d\d[ -]5\.7\.8/.test(response ?? '');
  return new DeliveryFailure(isFinal ? 'refused' : 'retry', `smtp ${responseCode || code}: ${response ?? message}`);
}
