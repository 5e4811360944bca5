// Plays roles/support.md.

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return worker.use('subscribe', { streamId: 's-support' });
  const answered = { streamId: 's-support', inReplyTo: trigger.event };
  if (trigger.subject?.startsWith('[eng]')) {
    const [first = '', ...rest] = trigger.body.split('\n');
    const customer = first.replace('Customer: ', '').trim();
    const body = `Hello,\n\nI asked our engineers, and this is how it works: ${rest.join('\n').trim()}\n\nYours, Sam`;
    return worker.use('publish', { ...answered, to: [customer], subject: trigger.subject.replace('[eng] ', ''), body });
  }
  if (trigger.source) return worker.say('Nothing for me to do.');
  // The Role says where the engineer is.
  const engineer = /`to` (\S+@[^\s,]+)/.exec(worker.role)[1];
  const question = trigger.body.split('\n').find((line) => line.includes('?')) ?? trigger.body;
  const body = `Customer: ${trigger.from}\n\nA customer asks: ${question.trim()}\nWhat shall I tell them?`;
  await worker.use('publish', { ...answered, to: [engineer], subject: trigger.subject, body });
}
