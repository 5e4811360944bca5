import type { Segment } from '../domain/agent.ts';
import { boundary } from './lines.ts';

const BODY_CHARACTERS_MAX = 500;
// Below the 16 KiB of the contract, so that the dispatcher can add to it.
const EXTRA_BYTES_MAX = 16_000;
/** Of a very long text no more is looked at for its one line. */
const CLIP_LOOKS_AT = 20_000;

/**
 * A line of output as the transcript shows it: white space collapsed, at most 500 characters (code points), a longer one
 * ending in `…` with its text in `extra.text`. The prefix comes on top. A blank line is no segment.
 */
export function segmentOf(line: string, prefix = ''): Segment | undefined {
  const text = line.replaceAll('\0', '');
  const collapsed = text.replace(/\s+/g, ' ').trim();
  if (collapsed === '') return undefined;
  const body = clip(collapsed);
  return body === collapsed ? { body: prefix + body } : { body: prefix + body, extra: { text: fitted(text) } };
}

/** At most 500 characters (code points), a longer text ending in `…`. */
export function clip(text: string): string {
  if (text.length <= BODY_CHARACTERS_MAX) return text;
  let end = 0;
  for (let characters = 0; characters < BODY_CHARACTERS_MAX && end < text.length; characters++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return end < text.length ? `${text.slice(0, end)}…` : text;
}

/**
 * A line made of something structured: its text collapsed and clipped as by {@link segmentOf}, and the structure in `extra`,
 * with its longest texts cut where it would be too large. Never undefined: also an empty text says that something happened.
 */
export function structuredSegment(prefix: string, text: string, structure: object): Segment {
  const body =
    prefix + clip(text.slice(0, boundary(text, CLIP_LOOKS_AT)).replaceAll('\0', '').replace(/\s+/g, ' ').trim());
  return { body: body.trimEnd(), extra: fittedStructure(structure) };
}

/** Halves the longest text it allows until the whole fits; of what does not fit even then, the beginning. */
function fittedStructure(structure: object): object {
  const isFit = (json: string) => Buffer.byteLength(json) <= EXTRA_BYTES_MAX;
  const whole = JSON.stringify(structure);
  if (isFit(whole)) return structure;
  for (let most = EXTRA_BYTES_MAX; most >= 64; most /= 2) {
    const json = JSON.stringify(structure, (_, value) => (typeof value === 'string' ? shortened(value, most) : value));
    if (isFit(json)) return JSON.parse(json) as object;
  }
  return { text: fitted(whole) };
}

const shortened = (text: string, most: number) =>
  text.length <= most ? text : `${text.slice(0, boundary(text, most))}…`;

/** As much of the text as fits into the limit when it is written as JSON. */
function fitted(text: string): string {
  let cut = text;
  for (;;) {
    const bytes = Buffer.byteLength(JSON.stringify({ text: cut }));
    if (bytes <= EXTRA_BYTES_MAX) return cut;
    const kept = text.slice(0, Math.floor(((cut.length - 1) * EXTRA_BYTES_MAX) / bytes));
    cut = `${kept.slice(0, boundary(kept, kept.length))}…`;
  }
}
