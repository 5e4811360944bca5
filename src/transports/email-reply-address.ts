// The address to which a person answers a Worker by mail: the plus-part names the Event, and a part that cannot be guessed
// proves that the mail went to that person.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { seqOfEventId } from '../domain/ids.ts';

/** Under this name the daemon keeps the key of its reply addresses. */
export const REPLY_KEY = 'mail.reply';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** 80 bits, in 16 characters: with the longest inbound address there is room for no more. */
const PROOF_CHARS = 16;
const TOKEN = /^([0-9a-z]{1,9})\.([a-z2-7]{16})$/;

/** The plus-part; it has a dot, which no alias has. */
export function replyToken(key: string, eventId: string, workerId: string): string {
  return `${(seqOfEventId(eventId) ?? 0).toString(36)}.${proof(key, eventId, workerId)}`;
}

/** The seq of the Event a plus-part names, when it has the form of a reply address. Mail servers may change the case. */
export function seqOfReplyToken(token: string): number | undefined {
  const seq = Number.parseInt(TOKEN.exec(token.toLowerCase())?.[1] ?? '', 36);
  return Number.isSafeInteger(seq) ? seq : undefined;
}

/** Whether the plus-part was given to this Worker with this Event. */
export function isReplyToken(token: string, { key, eventId, workerId }: Proven): boolean {
  const given = Buffer.from(token.toLowerCase());
  const wanted = Buffer.from(replyToken(key, eventId, workerId));
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

type Proven = { key: string; eventId: string; workerId: string };

function proof(key: string, eventId: string, workerId: string): string {
  const mac = createHmac('sha256', key).update(`${eventId} ${workerId}`).digest();
  let bits = 0n;
  for (const byte of mac.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let n = 0; n < PROOF_CHARS; n++, bits >>= 5n) text += BASE32.charAt(Number(bits & 31n));
  return text;
}
