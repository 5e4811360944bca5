// Plays roles/secretary.md.

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return worker.use('subscribe', { streamId: 's-inbox' });
  if (trigger.stream !== 's-inbox') return worker.say('Nothing for me to do.');
  const summary = inOneLine(trigger.body);
  await worker.use('publish', { streamId: 's-outbox', body: `Summary: ${summary}` });
  await worker.use('dm', { toWorkerId: 'w-owner', body: `Something arrived: ${summary}. Nobody has answered it yet.` });
}

/** Fields of JSON as words; any other text as it is. */
function inOneLine(text) {
  try {
    return Object.entries(JSON.parse(text))
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  } catch {
    return text.replaceAll(/\s+/g, ' ').slice(0, 200);
  }
}
