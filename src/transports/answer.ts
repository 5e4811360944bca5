import { DeliveryFailure } from '../domain/delivery.ts';

/** Refusals that say "not now" instead of "never" (RFC 9110, RFC 6585, RFC 8470). */
const LATER = new Set([408, 425, 429]);

/**
 * What a target's status means for the delivery; returns when it took it.
 * @throws DeliveryFailure gone on 410, refused on what will not change by itself, otherwise retry, with the target's wish
 */
export function checkAnswer({ status, headers }: { status: number; headers: Record<string, string> }, now: Date): void {
  if (status >= 200 && status < 300) return;
  if (status === 410) throw new DeliveryFailure('gone', 'the target answered 410 Gone');
  if (status >= 500 || LATER.has(status))
    throw new DeliveryFailure('retry', `the target answered ${status}`, retryAfterMs(headers['retry-after'], now));
  if (status >= 300 && status < 400)
    throw new DeliveryFailure('refused', `the target answered ${status}, a redirect, which is not followed`);
  throw new DeliveryFailure('refused', `the target answered ${status}`);
}

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3); undefined when it says nothing sensible. */
export function retryAfterMs(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const ms = Date.parse(value) - now.getTime();
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}
