// What a text will look like, before it is saved.

import { type FrameDeps, frameOf } from './frame.ts';
import type { Ui } from './kit.ts';
import { markdown } from './markdown.ts';

/** `POST /ui/preview` with `content`: the HTML alone for htmx, else a page, from which the browser's Back returns to the form. */
export function previewForm(ui: Ui, deps: FrameDeps): void {
  ui.answer('/preview', (visit, fields, reply) => {
    const text = fields.get('content') || fields.get('identityContent');
    const html = text.trim() === '' ? '<p class="quiet">Nothing is written yet.</p>' : markdown(text);
    if (visit.isFragment) return ui.pages.sendFragment(reply, html);
    const frame = frameOf(deps, visit, { title: 'Preview', section: 'org', topics: [], flashes: [] });
    return ui.pages.send(reply, 200, 'preview', { frame, html });
  });
}
