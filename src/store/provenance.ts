// The mark that an AI Worker's doings carry outside, so that what comes back is known again. It names the activation and is
// signed, so that nobody else can make one, or one of fewer hops.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Settings } from './settings.ts';

export type Mark = {
  activationId: string;
  /** Of the activation. */
  hops: number;
  /** The Event that woke it; empty when something else did. */
  eventId: string;
};

export type Provenance = {
  /** Words and dots, no white space. */
  write(mark: Mark): string;
  /** The mark, if this is one of ours. */
  read(text: string): Mark | undefined;
};

const KEY = 'provenance';
const KEY_BYTES = 32;
/** 128 bits of the signature are kept. */
const SIGNATURE_BYTES = 16;
const FORM = /^(1\.(a-[0-9a-f-]{36})\.(\d{1,4})\.(e-[0-9a-f-]{36})?)\.([\w-]{22})$/;

/** The key is made when it is needed first, and kept with the other secrets. */
export function createProvenance(settings: Pick<Settings, 'secret' | 'setSecret'>): Provenance {
  function key(): string {
    const known = settings.secret(KEY);
    if (known) return known;
    const made = randomBytes(KEY_BYTES).toString('base64');
    settings.setSecret(KEY, made);
    return made;
  }
  const sign = (text: string) => createHmac('sha256', key()).update(text).digest().subarray(0, SIGNATURE_BYTES);
  return {
    write({ activationId, hops, eventId }) {
      const text = `1.${activationId}.${hops}.${eventId}`;
      return `${text}.${sign(text).toString('base64url')}`;
    },
    read(text) {
      const [, signed = '', activationId = '', hops = '', eventId = '', signature = ''] = FORM.exec(text) ?? [];
      if (signed === '') return undefined;
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(signed);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return { activationId, hops: Number(hops), eventId };
    },
  };
}
