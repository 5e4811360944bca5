// Markdown of others as HTML that can do nothing: parsed by marked, cleaned by an allow-list, and ignored by htmx.
import { createRequire } from 'node:module';
import { marked } from 'marked';
import type { IOptions } from 'sanitize-html';

const require = createRequire(import.meta.url);

/** Loaded with the first text that is shown: it is 60 modules and 17 MB of memory, and many a daemon shows none. */
function sanitize(html: string, options: IOptions): string {
  const clean = require('sanitize-html') as typeof import('sanitize-html');
  return clean(html, options);
}

/** Parsing more at once would hold up everybody else; longer texts are shown as they are written. */
const PARSED_MAX = 16_384;
/** Markdown takes time quadratic in nested marks; ordinary text has few of them in a row. */
const SUSPICIOUS = /(?:[*_~`[\]!<>(|\\#-]\s?){200}|(?:^[ \t]*>+\s?){50}|(?:^[ \t]*[-*+] ){1000}/m;

/** Mail is made of nested tables, which takes longer than markdown does. */
const HTML_MAX = 65_536;

const ALLOWED: IOptions = {
  allowedTags: [
    ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pre', 'code', 'ul', 'ol', 'li'],
    ...['em', 'strong', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'input'],
  ],
  allowedAttributes: { a: ['href', 'rel', 'target'], ol: ['start'], input: ['type', 'checked', 'disabled'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'escape',
  nestingLimit: 50,
  transformTags: {
    a: (tagName, attribs) => ({
      tagName,
      attribs: { ...attribs, rel: 'noopener noreferrer nofollow', target: '_blank' },
    }),
    // A page has one heading of the first rank, its own.
    h1: 'h3',
    h2: 'h4',
    h3: 'h5',
    h4: 'h6',
    input: (_name, { checked }) => ({
      tagName: 'input',
      attribs: { type: 'checkbox', disabled: '', ...(checked === undefined ? {} : { checked: '' }) },
    }),
  },
};

const MAIL_TAGS = [
  ...['p', 'div', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pre', 'code', 'ul', 'ol', 'li'],
  ...['em', 'strong', 'b', 'i', 'u', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
];

/** HTML of others, as mail brings it: what it says stays, what it would load, run or look like does not. */
export function cleanHtml(html: string): string {
  if (html.length > HTML_MAX) return plainText(html);
  try {
    return wrap(sanitize(html, { ...ALLOWED, disallowedTagsMode: 'discard', allowedTags: MAIL_TAGS }));
  } catch {
    return plainText(html);
  }
}

/** Text as it is, with its lines. */
export const plainText = (text: string): string => wrap(`<div class="as-written">${escapeHtml(text)}</div>`);

/** HTML to be put on a page as it is. Images become their text, other people's markup is shown as text. */
export function markdown(text: string): string {
  if (text.length > PARSED_MAX || SUSPICIOUS.test(text)) return wrap(`<pre class="plain">${escapeHtml(text)}</pre>`);
  try {
    return wrap(sanitize(parse(text), ALLOWED));
  } catch {
    return wrap(`<pre class="plain">${escapeHtml(text)}</pre>`);
  }
}

const renderer = new marked.Renderer();
renderer.image = ({ text, href }) => escapeHtml(text || href);
renderer.html = ({ text }) => escapeHtml(text);

const parse = (text: string): string => marked.parse(text, { async: false, gfm: true, breaks: true, renderer });

const wrap = (html: string): string => `<div class="prose" hx-ignore>${html}</div>`;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** A sentence of ours as HTML: what stands between backticks is to be typed. */
export const withCode = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
