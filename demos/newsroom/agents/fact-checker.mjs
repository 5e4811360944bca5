export async function act({ kind, stream, thread_id: threadId, subject, body }, worker) {
  if (kind === 'hire') return worker.use('subscribe', { streamId: 's-fact-check' });
  if (stream !== 's-fact-check' || !body.startsWith('edited: ')) return worker.say('Nothing for me to do.');
  const text = body.slice('edited: '.length);
  const { events } = await worker.use('read_events', { streamId: 's-news-wire' });
  const item = events.find((event) => JSON.parse(event.body).id === threadId)?.body ?? '';
  const wrong = numbersOf(text).filter((number) => !numbersOf(item).includes(number));
  worker.say(`${numbersOf(text).length} numbers, ${wrong.length} of them not in ${threadId}.`);
  if (wrong.length === 0)
    return worker.use('publish', { streamId: 's-seo-pass', threadId, subject, body: `checked: ${text}` });
  const holds = text
    .split(/(?<=\.)\s/)
    .filter((sentence) => !numbersOf(sentence).some((number) => wrong.includes(number)));
  await worker.use('publish', { streamId: 's-drafts', threadId, subject, body: `draft: ${holds.join(' ')}` });
}

const numbersOf = (text) => text.match(/\d[\d,.-]*\d|\d/g) ?? [];
