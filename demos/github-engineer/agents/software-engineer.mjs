// Plays roles/software-engineer.md.
import { appendFileSync, existsSync } from 'node:fs';

const COLUMNS = ['Todo', 'In Progress', 'In Review', 'Done'];
const WHO = ['-c', 'user.name=w-software-engineer', '-c', 'user.email=w-software-engineer@example.com'];

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return worker.use('subscribe', { streamId: 's-github' });
  const { message } = await worker.use('get_event', { id: trigger.event });
  const { event, action, issue, pull_request: pull, review, repository } = message.extra;
  const repo = repository.full_name;
  const number = Number(/^issue-(\d+)-/.exec(pull?.head?.ref ?? '')?.[1]);
  switch (`${event}.${action}`) {
    case 'issues.opened':
      return take(worker, { issue, repo, board: boardOf(worker, repo) });
    case 'pull_request_review.submitted':
      if (number && review.state === 'changes_requested') return mend(worker, { repo, branch: pull.head.ref, review });
      break;
    case 'pull_request.closed':
      if (number) return boardOf(worker, repo).move(number, pull.merged ? 'Done' : 'Todo');
      break;
  }
  worker.say('Nothing for me to do.');
}

async function take(worker, { issue, repo, board }) {
  const missing = board.missing();
  if (missing.length > 0) {
    const body = `I cannot take issue #${issue.number} of ${repo}: the board has no column ${missing.join(', ')}.`;
    return worker.use('dm', { toWorkerId: 'w-owner', body });
  }
  const { number, title } = issue;
  // An earlier run may have been cut off after this.
  const branch = `issue-${number}-${title
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-')
    .slice(0, 30)
    .replace(/-$/, '')}`;
  const list = ['pr', 'list', '--repo', repo, '--state', 'all', '--head', branch, '--json', 'number'];
  if (JSON.parse(worker.run('gh', list)).length > 0) return board.move(number, 'In Review');
  board.move(number, 'In Progress');
  const plan = `I take this: a small change on the branch \`${branch}\`, then a pull request for you to look at.`;
  worker.run('gh', ['issue', 'comment', String(number), '--repo', repo, '--body', plan]);
  const clone = cloneOf(worker, repo);
  worker.run('git', ['-C', clone, 'checkout', '--quiet', '-B', branch, 'origin/main']);
  appendFileSync(`${clone}/README.md`, `\n${title}: done.\n`);
  push(worker, { clone, branch, text: `${title} (#${number})` });
  const body = `Closes #${number}\n\nI changed the README only.`;
  worker.run('gh', [
    'pr',
    'create',
    '--repo',
    repo,
    '--head',
    branch,
    '--base',
    'main',
    '--title',
    title,
    '--body',
    body,
  ]);
  board.move(number, 'In Review');
}

function mend(worker, { repo, branch, review }) {
  const clone = cloneOf(worker, repo);
  worker.run('git', ['-C', clone, 'checkout', '--quiet', '-B', branch, `origin/${branch}`]);
  appendFileSync(`${clone}/README.md`, `\nAsked for in review: ${review.body}\n`);
  push(worker, { clone, branch, text: 'Do what the review asks for' });
}

/** Fresh from the remote. */
function cloneOf(worker, repo) {
  if (!existsSync('clone')) worker.run('gh', ['repo', 'clone', repo, 'clone']);
  worker.run('git', ['-C', 'clone', 'fetch', '--quiet', 'origin']);
  return 'clone';
}

function push(worker, { clone, branch, text }) {
  worker.run('git', [...WHO, '-C', clone, 'commit', '--quiet', '--all', '--message', text]);
  worker.run('git', ['-C', clone, 'push', '--quiet', 'origin', branch]);
}

function boardOf(worker, repo) {
  const [owner] = repo.split('/');
  // The Role says which project it is.
  const project = /project (\d+)/.exec(worker.role)[1];
  const of = ['--owner', owner, '--format', 'json'];
  const ask = (command, ...args) => JSON.parse(worker.run('gh', ['project', command, project, ...args, ...of]));
  const { id: field, options } = ask('field-list').fields.find(({ name }) => name === 'Status') ?? { options: [] };
  let projectId;
  return {
    missing: () => COLUMNS.filter((column) => !options.some(({ name }) => name === column)),
    move(number, column) {
      projectId ??= ask('view').id;
      const { id: card } = ask('item-add', '--url', `https://github.com/${repo}/issues/${number}`);
      const option = options.find(({ name }) => name === column).id;
      const where = ['--id', card, '--project-id', projectId, '--field-id', field];
      worker.run('gh', ['project', 'item-edit', ...where, '--single-select-option-id', option]);
    },
  };
}
