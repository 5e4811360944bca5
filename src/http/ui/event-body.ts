// What a Message says, as HTML that can do nothing.
import type { Attachment } from '../../domain/message.ts';
import type { EventView } from '../../store/event-reader.ts';
import { cleanHtml, markdown, plainText } from './markdown.ts';
import { clip } from './shown.ts';

/** Beyond this a list of Events shows the beginning only. */
const CARD_MAX = 1_400;
const CARD_LINES_MAX = 24;

/** @param isBrief only the beginning, as cards show it; `isCut` tells that there is more */
export function bodyOf(view: EventView, transport: string, isBrief: boolean): { html: string; isCut: boolean } {
  const type = (view.message?.body_content_type ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/html') {
    // Cut HTML would lose what closes it; a long one is read on its own page.
    const isCut = isBrief && view.body.length > 4 * CARD_MAX;
    return { html: cleanHtml(isCut ? view.body.slice(0, 4 * CARD_MAX) : view.body), isCut };
  }
  const text = type.endsWith('json') || looksLikeJson(view.body) ? pretty(view.body) : view.body;
  const shown = isBrief ? beginning(text) : text;
  return { html: render(shown, type, view, transport), isCut: shown !== text };
}

function render(text: string, type: string, { source, body }: EventView, transport: string): string {
  if (type.endsWith('json') || looksLikeJson(body)) return fenced(text);
  const isMarkdown = type === 'text/markdown' || (type === '' && (source !== '' || transport === 'github'));
  return isMarkdown ? markdown(text) : plainText(text);
}

const looksLikeJson = (text: string): boolean => /^\s*[{[]/.test(text) && /[}\]]\s*$/.test(text);

const PRETTY_MAX = 262_144;

function pretty(text: string): string {
  if (text.length > PRETTY_MAX) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const fenced = (text: string): string => plainText(text).replace('class="as-written"', 'class="as-written code"');

function beginning(text: string): string {
  const lines = text.split('\n', CARD_LINES_MAX + 1);
  const most = lines.length > CARD_LINES_MAX ? `${lines.slice(0, CARD_LINES_MAX).join('\n')}\n…` : text;
  return clip(most, CARD_MAX);
}

export type ShownFile = { name: string; size: string; href: string; type: string };

/** Files to fetch from us, addresses of the web to go to, or names alone. */
export function filesOf({ id, message }: EventView): ShownFile[] {
  return (message?.attachments ?? []).slice(0, FILES_MAX).flatMap((attachment): ShownFile[] => {
    if (typeof attachment !== 'object' || attachment === null) return [];
    const { filename, content_type: type, size_bytes: size, url }: Partial<Attachment> = attachment;
    return [
      {
        name: clip(String(filename ?? 'a file'), 200),
        size: typeof size === 'number' ? sizeOf(size) : '',
        href: hrefOfFile(id, String(url ?? '')),
        type: String(type ?? ''),
      },
    ];
  });
}

const FILES_MAX = 50;

function hrefOfFile(id: string, url: string): string {
  if (/^attachment-[a-z0-9]+$/.test(url)) return `/ui/events/${id}/files/${url}`;
  return /^https?:\/\//i.test(url) ? url : '';
}

function sizeOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
