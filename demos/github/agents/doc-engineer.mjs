// Plays roles/doc-engineer.md.

const DOCUMENTATION = /readme|\bdoc(s|ument\w*)?\b|typo|spelling|guide/i;

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') {
    await worker.use('subscribe', { streamId: 's-github' });
    return worker.use('subscribe', { streamId: 's-tick-daily' });
  }
  // The Role says what the label is called, and whose documentation it is.
  const label = /the label `([^`]+)`/.exec(worker.role)[1];
  const repo = /The repository is `([^`]+)`/.exec(worker.role)[1];
  if (trigger.stream === 's-tick-daily') return trigger.body === 'sweep' ? sweep(worker, { repo, label }) : undefined;
  const { message } = await worker.use('get_event', { id: trigger.event });
  const { event, action, issue, pull_request: pull, label: given } = message.extra;
  if (event === 'issues' && action === 'opened' && DOCUMENTATION.test(issue.title))
    return worker.run('gh', ['issue', 'edit', String(issue.number), '--repo', repo, '--add-label', label]);
  const isToReview =
    action === 'opened' ? DOCUMENTATION.test(pull?.title) : action === 'labeled' && given?.name === label;
  if (event === 'pull_request' && isToReview) {
    const text = `Thank you for "${pull.title}". Please say in the first line whom the new text is for.`;
    return worker.run('gh', ['pr', 'review', String(pull.number), '--repo', repo, '--comment', '--body', text]);
  }
  worker.say('Nothing for me to do.');
}

function sweep(worker, { repo, label }) {
  const issues = JSON.parse(
    worker.run('gh', ['issue', 'list', '--repo', repo, '--state', 'open', '--json', 'number,title,labels']),
  );
  for (const { number, title, labels } of issues) {
    if (DOCUMENTATION.test(title) && !labels.some(({ name }) => name === label))
      worker.run('gh', ['issue', 'edit', String(number), '--repo', repo, '--add-label', label]);
  }
}
