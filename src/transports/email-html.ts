// How a text that a Worker wrote looks in a mail client: markdown as HTML, beside the text itself.
import { marked } from 'marked';
import sanitize from 'sanitize-html';

const OPTIONS: sanitize.IOptions = {
  allowedTags: [...sanitize.defaults.allowedTags, 'img', 'del', 'ins', 'h1', 'h2'],
  allowedAttributes: {
    a: ['href', 'name', 'title'],
    img: ['src', 'alt', 'title', 'width', 'height'],
    ol: ['start'],
    td: ['align', 'colspan', 'rowspan'],
    th: ['align', 'colspan', 'rowspan', 'scope'],
    '*': ['dir', 'lang'],
  },
  allowedSchemes: ['http', 'https', 'mailto', 'tel', 'cid'],
  allowProtocolRelative: false,
};

/** Longer texts are sent as text alone: nobody reads them as a letter, and rendering holds up everybody else. */
const LENGTH_MAX = 32_768;

/** The HTML of a markdown text, without anything active; undefined for one that is too long or too deep. Lines stay lines. */
export function htmlOf(markdown: string): string | undefined {
  const html = markdown.length > LENGTH_MAX ? undefined : rendered(markdown);
  if (html === undefined) return undefined;
  const clean = sanitize(html, OPTIONS).trim();
  return `<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body dir="auto">\n${clean}\n</body></html>\n`;
}

/** Thousands of nested marks exhaust the stack of the renderer. */
function rendered(markdown: string): string | undefined {
  try {
    return marked.parse(markdown, { gfm: true, breaks: true, async: false });
  } catch {
    return undefined;
  }
}
