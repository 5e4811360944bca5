import { section } from '../../role-text.mjs';

export async function act({ kind, stream, thread_id: threadId, subject = '', body }, worker) {
  if (kind === 'hire') return worker.use('subscribe', { streamId: 's-drafts' });
  if (stream !== 's-drafts' || !body.startsWith('draft: ')) return worker.say('Nothing for me to do.');
  const words = section(worker.role, 'Words that go').split(/,\s*/);
  const pattern = new RegExp(`\\b(${words.join('|')}) `, 'gi');
  const found = [...`${subject} ${body}`.matchAll(pattern)].map(([, word]) => word);
  worker.say(`Taken out: ${found.join(', ') || 'nothing'}.`);
  const cut = (text) => text.replace(pattern, '').replace(/^\w/, (letter) => letter.toUpperCase());
  const text = cut(body.slice('draft: '.length));
  await worker.use('publish', { streamId: 's-fact-check', threadId, subject: cut(subject), body: `edited: ${text}` });
}
