// Secrets in text that was not meant to hold any: what agents print, what other programs answer, what is logged.
import type { Settings } from './settings.ts';

export type Mask = (text: string) => string;

export const MASKED = '[secret]';

/** Shorter secrets stand in too many texts by chance. */
const LENGTH_MIN = 8;
/** Beside tokens a login holds words, such as how it was made. */
const PART_LENGTH_MIN = 16;
/** Every token of ours, be it of a Worker, an activation, a session or a link to sign in. */
const TOKEN = /hxo_[\w-]{43}/g;
/** A previous signing secret is kept with the time at which it ends. */
const TIME_BEFORE = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;

/** Masks tokens by their form. */
export const maskTokens: Mask = (text) => (text.includes('hxo_') ? text.replace(TOKEN, MASKED) : text);

/** Masks tokens, and every secret that is set at the time of the call, as it is and as JSON writes it. */
export function createMask(settings: Pick<Settings, 'secretValues'>): Mask {
  let values: readonly string[] | undefined;
  let needles: string[] = [];
  return (text) => {
    const now = settings.secretValues();
    if (now !== values) {
      values = now;
      needles = needlesOf(now);
    }
    let masked = maskTokens(text);
    for (const needle of needles) if (masked.includes(needle)) masked = masked.replaceAll(needle, MASKED);
    return masked;
  };
}

/** The same with every text in it masked. */
export function maskAll<T>(mask: Mask, value: T): T {
  if (typeof value === 'string') return mask(value) as T;
  if (Array.isArray(value)) return value.map((each) => maskAll(mask, each)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, maskAll(mask, part)])) as T;
}

/** A login is kept as JSON, in which a program's own file may lie as JSON again; what stands in a text is one part of it. */
function partsOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(partsOf);
  if (typeof value !== 'string') return [];
  if (!value.startsWith('{')) return value.length >= PART_LENGTH_MIN ? [value] : [];
  try {
    return partsOf(JSON.parse(value));
  } catch {
    return [];
  }
}

function needlesOf(values: readonly string[]): string[] {
  const plain = values.flatMap((value) => [value.replace(TIME_BEFORE, ''), ...partsOf(value)]);
  const all = plain.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  // A longer one may begin with a shorter one.
  return [...new Set(all)].filter(({ length }) => length >= LENGTH_MIN).sort((a, b) => b.length - a.length);
}
