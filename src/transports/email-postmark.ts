// Mail by Postmark's API. https://postmarkapp.com/developer/api/email-api
import { ServerClient } from 'postmark';
import { DeliveryFailure, type DeliveryTools, type Receipt } from '../domain/delivery.ts';
import type { EmailAccount } from './email-config.ts';
import { EVENT_HEADER, type Letter, written } from './email-letter.ts';
import { EVENT_METADATA } from './email-report.ts';

/** Error codes that are no fault of the mail: the server may be set right, or take it later. */
const ACCOUNT_TROUBLE = new Set([10, 100, 400, 401, 405, 411, 412, 413, 429, 700, 1_101, 1_235]);
const MESSAGE_STREAM = 'outbound';

/** @throws DeliveryFailure with what Postmark says */
export async function sendByPostmark(
  letter: Letter,
  { token = '', api_url: apiUrl, message_stream: stream = MESSAGE_STREAM }: EmailAccount,
  { signal }: Pick<DeliveryTools, 'signal'>,
): Promise<Receipt> {
  let answer: Response | undefined;
  const api = URL.parse(apiUrl ?? 'https://api.postmarkapp.com');
  const client = new ServerClient(token, {
    useHttps: api?.protocol !== 'http:',
    requestHost: `${api?.host ?? ''}${api?.pathname.replace(/\/$/, '') ?? ''}`,
    fetch: async (input, init) => {
      answer = await fetch(input, { ...init, redirect: 'error', signal });
      return answer;
    },
  });
  try {
    const { MessageID, ErrorCode, Message } = await client.sendEmail(requestOf(letter, stream));
    if (ErrorCode !== 0) throw Object.assign(new Error(Message), { code: ErrorCode, statusCode: 422 });
    return { messageId: letter.messageId, detail: `Postmark ${MessageID}` };
  } catch (error) {
    throw failureOf(error as { message: string; code?: number; statusCode?: number }, answer);
  }
}

function requestOf(letter: Letter, stream: string): Parameters<ServerClient['sendEmail']>[0] {
  const { from, to, cc, replyTo, subject, text, html, messageId, inReplyTo, references } = letter;
  const headers = {
    'Message-ID': messageId,
    // Otherwise Postmark gives it an id of its own, which no answer could be known by.
    'X-PM-KeepID': 'true',
    'In-Reply-To': inReplyTo,
    References: references,
    ...letter.headers,
  };
  return {
    From: written(from),
    To: to.join(', '),
    ...(cc.length > 0 ? { Cc: cc.join(', ') } : {}),
    ...(replyTo === undefined ? {} : { ReplyTo: replyTo }),
    Subject: subject,
    ...(text === undefined ? {} : { TextBody: text }),
    ...(html === undefined ? {} : { HtmlBody: html }),
    Headers: Object.entries(headers).flatMap(([Name, Value]) => (Value === undefined ? [] : [{ Name, Value }])),
    Metadata: { [EVENT_METADATA]: letter.headers[EVENT_HEADER] ?? '' },
    MessageStream: stream,
    ...(letter.files.length > 0 ? { Attachments: letter.files.map(toAttachment) } : {}),
  };
}

const toAttachment = ({ filename, type, bytes, contentId }: Letter['files'][number]) => ({
  Name: filename,
  ContentType: type,
  Content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  ContentID: contentId === undefined ? null : `cid:${contentId}`,
});

/** 422 says the mail itself is at fault, unless its code names the account; everything else may pass. */
function failureOf(
  error: { message: string; code?: number; statusCode?: number },
  answer: Response | undefined,
): DeliveryFailure {
  const { message, code = 0, statusCode = 0 } = error;
  if (statusCode === 0) return new DeliveryFailure('retry', `postmark send: ${message}`);
  const isRefused = (statusCode === 422 && !ACCOUNT_TROUBLE.has(code)) || statusCode === 413;
  const reason = `postmark ${statusCode}: ${code === 0 ? '' : `(${code}) `}${message}`;
  const after = Number(answer?.headers.get('retry-after'));
  return new DeliveryFailure(isRefused ? 'refused' : 'retry', reason, after > 0 ? after * 1_000 : undefined);
}
