import { once, remember, tableOf } from '../../role-text.mjs';

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return openTheDesk(worker);
  if (trigger.stream === 's-briefs' && trigger.source_kind === 'human') return findTheAngle(trigger, worker);
  if (trigger.stream === 's-drafts' && trigger.body.startsWith('draft: ')) return judge(trigger, worker);
  worker.say('Nothing for me to do.');
}

async function openTheDesk(worker) {
  worker.say('I was just hired: I open the Streams of the desk.');
  for (const [id, description] of tableOf(worker.role, 'Streams'))
    await once(worker, 'create_stream', { id, name: id.slice(2), description });
  await worker.use('subscribe', { streamId: 's-briefs' });
  await worker.use('subscribe', { streamId: 's-drafts' });
}

async function findTheAngle({ event, body }, worker) {
  worker.say('A brief: I look for the question behind it.');
  const brief = body.toLowerCase();
  const themes = tableOf(worker.role, 'Themes').map(([theme, words, question]) => ({
    theme,
    question,
    hits: words.split(', ').filter((word) => brief.includes(word)).length,
  }));
  const best = themes.reduce((a, b) => (b.hits > a.hits ? b : a));
  if (best.hits === 0) return worker.say('No theme of ours is in it.');
  const reader = /\bfor ((?:a|an|the|small|large|young)? ?[^.,:;]+)/i.exec(body)?.[1] ?? 'whoever keeps models running';
  remember(`brief ${event} is about ${best.theme}`);
  await worker.use('publish', {
    streamId: 's-angles',
    threadId: event,
    body: `angle: ${best.theme}, for ${reader.trim()}: ${best.question}`,
  });
}

async function judge({ thread_id: threadId, body }, worker) {
  worker.say('A draft: I hold it against my list.');
  const { events } = await worker.use('read_events', { streamId: 's-findings', thread: threadId });
  const text = body.slice('draft: '.length);
  const words = text.split(/\s+/).length;
  const names = [...(events[0]?.body ?? '').matchAll(/^\d+\. \*\*(.+?)\*\*/gm)].map(([, name]) => name);
  const missing = [
    ...(words < 200 || words > 300 ? [`it has ${words} words`] : []),
    ...names.filter((name) => !text.includes(name)).map((name) => `${name} is not named`),
    ...(text.includes('On Monday') ? [] : ['nothing to do on Monday']),
  ];
  if (missing.length === 0)
    return worker.use('publish', { streamId: 's-newsletter', threadId, body: `newsletter: ${text}` });
  worker.say(`It does not hold: ${missing.join('; ')}.`);
  const said = await worker.use('read_events', { streamId: 's-angles', thread: threadId });
  if (said.events.filter((each) => each.body.startsWith('again: ')).length >= 2)
    return worker.say('That was the second time; I leave it.');
  const angle = said.events.find((each) => each.body.startsWith('angle: '))?.body.slice(7);
  await worker.use('publish', {
    streamId: 's-angles',
    threadId,
    body: `again: ${angle} Missing: ${missing.join('; ')}.`,
  });
}
