import { memory, remember } from '../../role-text.mjs';

export async function act({ kind, stream, source, source_kind: who, thread_id: threadId, body }, worker) {
  if (kind === 'hire') return worker.use('subscribe', { streamId: 's-bullpen' });
  if (stream.startsWith('s-dm-') && who === 'human') return answer(source, worker);
  if (stream !== 's-bullpen' || !body.startsWith('assign: ')) return worker.say('Nothing for me to do.');
  const { title, text, source: from } = JSON.parse(body.slice('assign: '.length));
  worker.say(`I write ${threadId}.`);
  await worker.use('publish', {
    streamId: 's-drafts',
    threadId,
    subject: title,
    body: `draft: ${text}\n\nSource: ${from}.`,
  });
  remember(`wrote ${threadId}: ${title}`);
}

async function answer(source, worker) {
  const stories = memory().match(/(?<=wrote ).+/g);
  const last = stories?.at(-1);
  await worker.use('dm', {
    toWorkerId: source,
    body: last
      ? `The last I handed in is ${last}. I wait for the next one.`
      : 'Nothing yet; I wait for the first assignment.',
  });
}
