// What a person does in a chat: sends, stops, begins anew, goes on in an earlier one. Without JavaScript each leads back to the page.
import type { FastifyReply } from 'fastify';
import { OrgError } from '../../domain/errors.ts';
import type { ChatPageDeps } from './chat-page.ts';
import type { Ui } from './kit.ts';
import { escapeHtml } from './markdown.ts';
import type { Visit } from './visit.ts';

const CHAT = '/ui/';
const STATUS = { invalid: 400, not_found: 404, conflict: 409, forbidden: 403 } as const;
/** Of the whole form, in which letters are written as up to nine bytes each. */
const TEXT_MAX = 65_536;

export function chatForms(ui: Ui, { chatting, sessions, offers }: ChatPageDeps): void {
  ui.answer('/chat/send', async (visit, fields, reply) => {
    const text = fields.get('text');
    if (text.trim() === '') return reply.code(204).send();
    if (Buffer.byteLength(text) > TEXT_MAX) return refused(visit, reply, 413, TOO_LONG);
    try {
      const { workerId, credential } = visit;
      const { onBehalfOf } = credential;
      await chatting.say({ workerId, ...(onBehalfOf ? { onBehalfOf } : {}) }, text);
    } catch (error) {
      if (!(error instanceof OrgError)) throw error;
      return refused(visit, reply, STATUS[error.code], error.message);
    }
    return done(visit, reply);
  });
  ui.answer('/chat/stop', (visit, _fields, reply) => {
    chatting.stop(visit.workerId);
    return done(visit, reply);
  });
  ui.form('/chat/new', (visit) => {
    chatting.startNew(visit.workerId);
    return { to: CHAT };
  });
  ui.form('/chat/open', (visit, fields) => {
    chatting.open(visit.workerId, fields.get('conversation'));
    return { to: CHAT };
  });
  ui.form('/chat/adopt', async (visit, fields) => {
    const { id } = await sessions.adopt(visit.workerId, fields.get('session'));
    chatting.open(visit.workerId, id);
    return { to: CHAT };
  });
  ui.raw('/chat/commands', (visit, reply) => {
    const found = offers(visit.workerId, visit.param('text'));
    return ui.pages.sendFragment(reply, ui.pages.render('chat-commands', { offers: found }));
  });
}

const TOO_LONG = 'A message has at most 64 KiB; put what is longer into a file or a Stream, and name it.';

const done = (visit: Visit, reply: FastifyReply) =>
  visit.isFragment ? reply.code(204).send() : reply.redirect(CHAT, 303);

/** What was typed stays where it is: in the field of the page, or one step back. */
function refused(visit: Visit, reply: FastifyReply, status: number, sentence: string) {
  if (!visit.isFragment) throw new OrgError(status === 409 ? 'conflict' : 'invalid', sentence);
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(`<p class="alarm">${escapeHtml(sentence)}</p>`);
}
