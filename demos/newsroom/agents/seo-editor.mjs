const HEADLINE_MAX = 60;

export async function act({ kind, stream, thread_id: threadId, subject, body }, worker) {
  if (kind === 'hire') return worker.use('subscribe', { streamId: 's-seo-pass' });
  const [, text] = /^(?:checked|again): ([\s\S]+)$/.exec(body ?? '') ?? [];
  if (stream !== 's-seo-pass' || text === undefined) return worker.say('Nothing for me to do.');
  const headline = shortened(subject ?? text.split('.')[0]);
  worker.say(`"${headline}": ${headline.length} characters.`);
  await worker.use('publish', { streamId: 's-editorial', threadId, subject: headline, body: `ready: ${text}` });
}

/** Whole words, as many as fit. */
function shortened(title) {
  if (title.length <= HEADLINE_MAX) return title;
  return title.slice(0, title.lastIndexOf(' ', HEADLINE_MAX));
}
