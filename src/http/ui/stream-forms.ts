// Forms about Streams that are more than one tool's arguments: sending with a look ahead, and a Stream's settings.
import type { Message } from '../../domain/message.ts';
import { foreseenOf } from './foreseen.ts';
import { callAs, type Fields, type Outcome, refusedFlash, toArguments } from './forms.ts';
import { frameOf } from './frame.ts';
import type { Ui } from './kit.ts';
import { streamHref } from './links.ts';
import type { StreamsPageDeps } from './streams-page.ts';
import { sentenceOf } from './tool-sentences.ts';
import type { Visit } from './visit.ts';

export function streamFormRoutes(ui: Ui, deps: StreamsPageDeps): void {
  ui.form('/streams/publish', (visit, fields) => publish(deps, visit, fields));
  ui.form('/streams/save', (visit, fields) => save(deps, visit, fields));
  ui.answer('/streams/preview', (visit, fields, reply) => {
    const id = fields.get('stream_id');
    const foreseen = visit.mayRead(id)
      ? foreseenOf(deps, visit, id, messageOf(visit, fields))
      : { wakes: [], lines: [], warnings: [] };
    if (visit.isFragment) return ui.pages.sendFragment(reply, ui.pages.render('foreseen', { foreseen }));
    const frame = frameOf(deps, visit, { title: 'Preview', section: 'streams', topics: [], flashes: [] });
    return ui.pages.send(reply, 200, 'preview', { frame, html: ui.pages.render('foreseen', { foreseen }) });
  });
}

/** Addresses and Worker ids, separated by commas; a name in quotes may hold one. */
const addressesOf = (text: string): string[] =>
  (text.match(/(?:"[^"]*"|[^,;\n"])+/g) ?? []).map((address) => address.trim()).filter((address) => address !== '');

function messageOf({ workerId }: Visit, fields: Fields): Message {
  const [to, subject, body] = [addressesOf(fields.get('to')), fields.get('subject'), fields.get('body')];
  const [thread, inReplyTo] = [fields.get('thread'), fields.get('in_reply_to')];
  return {
    from: workerId,
    body,
    ...(to.length > 0 ? { to } : {}),
    ...(subject === '' ? {} : { subject }),
    ...(thread === '' ? {} : { thread_id: thread }),
    ...(inReplyTo === '' ? {} : { in_reply_to: inReplyTo }),
  };
}

async function publish({ door }: StreamsPageDeps, visit: Visit, fields: Fields): Promise<Outcome> {
  const id = fields.get('stream_id');
  const back = streamHref(id);
  const { to, subject, body, thread_id: threadId, in_reply_to: inReplyTo } = messageOf(visit, fields);
  const args = { streamId: id, body, to, subject, threadId, inReplyTo };
  const outcome = await callAs(door, visit, 'publish', args);
  if (outcome.kind === 'refused') return { to: back, flash: refusedFlash(outcome.message, fields) };
  return { to: back, flash: { kind: 'done', text: sentenceOf('publish', args, outcome.result) } };
}

/** Makes a Stream, or changes the one that `streamId` names. Its transport is named again only when it is another. */
async function save(deps: StreamsPageDeps, visit: Visit, fields: Fields): Promise<Outcome> {
  const id = fields.get('streamId');
  const isNew = id === '';
  const back = isNew ? '/ui/streams' : streamHref(id);
  const transport = transportOf(fields);
  if (transport === undefined)
    return {
      to: back,
      flash: refusedFlash('The settings of the transport are not JSON; {"secret": true} is an example.', fields),
    };
  const stream = deps.journal.org.streams.get(id);
  const isSame = JSON.stringify(stream?.transport) === JSON.stringify(transport);
  const { kind: _, config: _config, ...plain } = toArguments(fields);
  const args = {
    ...plain,
    ...(isNew ? {} : { description: fields.get('description') }),
    private: fields.getAll('private').includes('yes'),
    hold: fields.getAll('hold').includes('yes'),
    ...(isSame ? {} : { transport }),
  };
  const tool = isNew ? 'create_stream' : 'update_stream';
  const outcome = await callAs(deps.door, visit, tool, args);
  if (outcome.kind === 'refused') return { to: back, flash: refusedFlash(outcome.message, fields) };
  const { id: made, secret } = outcome.result;
  const shown = typeof secret === 'string' ? `\nThe secret that signs, shown this once: ${secret}` : '';
  const text = `${sentenceOf(tool, args, outcome.result)}${shown}`;
  return { to: streamHref(typeof made === 'string' ? made : id), flash: { kind: 'done', text } };
}

function transportOf(fields: Fields): { kind: string; config: Record<string, unknown> } | undefined {
  const kind = fields.get('kind') || 'local';
  const typed = fields.get('config').trim();
  try {
    const config: unknown = typed === '' ? {} : JSON.parse(typed);
    return typeof config === 'object' && config !== null && !Array.isArray(config)
      ? { kind, config: config as Record<string, unknown> }
      : undefined;
  } catch {
    return undefined;
  }
}
