import type { Segment } from '../domain/agent.ts';
import { boundary } from './lines.ts';

const BODY_CHARACTERS_MAX = 500;
// Below the 16 KiB of the contract, so that the dispatcher can add to it.
const EXTRA_BYTES_MAX = 16_000;

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

function clip(text: string): string {
  if (text.length <= BODY_CHARACTERS_MAX) return text;
  let end = 0;
  for (let characters = 0; characters < BODY_CHARACTERS_MAX && end < text.length; characters++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return end < text.length ? `${text.slice(0, end)}…` : text;
}

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
