// Plays roles/engineer.md.

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return worker.use('subscribe', { streamId: 's-engineer' });
  const customer = /^Customer: .*/.exec(trigger.body)?.[0];
  const back = /"reply_to": "([^"]+)"/.exec(trigger.extra ?? '')?.[1];
  if (!customer || !back) return worker.say('Nothing for me to do.');
  await worker.use('publish', {
    streamId: 's-engineer',
    to: [back],
    inReplyTo: trigger.event,
    subject: `[eng] Re: ${trigger.subject}`,
    body: `${customer}\n\na file takes 1000 rows at most; \`export --all\` writes one file after the other until everything is out.`,
  });
}
