// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.
import { openGithub } from '../stand-ins/github.mjs';

export const title = 'a doc engineer labels issues and reviews pull requests about documentation';

export const needs = [
  { program: 'gh', what: 'install it from https://cli.github.com; the Worker acts with it.' },
  {
    variable: 'HELIX_DEMO_GITHUB_TOKEN',
    what: 'a token that may manage the webhooks, issues and pull requests of the repository.',
  },
  { variable: 'HELIX_DEMO_REPO', what: 'owner/name of a repository of yours to play with; it needs a label `docs`.' },
  {
    option: '--public-url',
    what: 'the https address at which GitHub reaches this machine, such as a tunnel to the port of --addr.',
  },
];

const EVENTS = ['issues', 'issue_comment', 'pull_request', 'pull_request_review', 'push'];

/** @param {import('../../src/cli/stand-in.ts').Scene} scene */
export async function outside(scene) {
  const { HELIX_DEMO_GITHUB_TOKEN: token, HELIX_DEMO_REPO: repo } = scene.environment;
  if (scene.isLive) return { repo, account: { token } };
  const github = await openGithub(scene, {
    repo: 'Codertocat/Hello-World',
    payloads: new URL('payloads/', import.meta.url),
  });
  scene.program('gh', new URL('../stand-ins/gh.mjs', import.meta.url));
  return { repo: github.repo, account: github.account, github };
}

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage, { repo, account, github }) {
  await connect(stage, { repo, account });
  if (github) {
    await docsIssue(stage, github);
    await otherIssue(stage, github);
    await docsPullRequest(stage, github);
    await sweep(stage, github);
    await roleEdit(stage, github);
  } else {
    await liveIssue(stage, { repo, account });
  }
  await teardown(stage, repo);
}

async function connect(stage, { repo, account }) {
  stage.act('A Stream hears what happens in a repository');
  await stage.control('config.set', { key: 'transport.github', value: account });
  await stage.call('create_stream', {
    id: 's-github',
    name: 'github',
    transport: {
      kind: 'github',
      config: { repo, events: EVENTS, actions: ['opened', 'labeled', 'created', 'submitted'] },
    },
  });
  await stage.call('create_stream', { id: 's-tick-daily', name: 'tick-daily' });
  const made = await stage.control('github.connect', { repo, stream: 's-github' });
  stage.say(`$ helix-org github connect ${repo} --stream s-github  →  webhook ${made.hook}, its ping arrived`);
  await stage.call('create_role', { id: 'r-doc-engineer', content: role(stage, repo) });
  await stage.call('create_position', { id: 'p-doc-engineer', roleId: 'r-doc-engineer', parentId: 'p-root' });
  await stage.call('hire_worker', {
    id: 'w-doc-engineer',
    positionId: 'p-doc-engineer',
    kind: 'ai',
    identityContent: stage.text('workers/doc-engineer.md'),
    // GitHub's token goes to those who may run gh.
    grants: ['subscribe', 'read_events', 'get_event', 'agent:Bash(gh *)'],
  });
  await stage.until('w-doc-engineer has set itself up', stage.ended('w-doc-engineer'));
}

const role = (stage, repo) => stage.text('roles/doc-engineer.md').replaceAll('{repo}', repo);

async function docsIssue(stage, github) {
  stage.act('Somebody opens an issue about documentation');
  const statuses = await github.open({});
  stage.must('the delivery was signed, and answered 204', statuses.join() === '204');
  await stage.until('it is an Event on s-github', isAbout('Spelling error in the README file'));
  const [issue] = github.state.issues.values();
  await stage.happens('the issue has the label docs', () => issue.labels.includes('docs'));
  await stage.quiet();
  stage.must(
    'it was labelled by gh, once',
    edits(github).length === 1 && edits(github)[0].includes('--add-label docs'),
  );
}

async function otherIssue(stage, github) {
  stage.act('Somebody opens an issue about something else');
  const before = github.commands().length;
  await github.open({ number: 7, title: 'It crashes when the port is taken', body: 'Every time I start it twice.' });
  await stage.until('it is an Event on s-github', isAbout('It crashes when the port is taken'));
  await stage.until('w-doc-engineer looked at it', stage.ended('w-doc-engineer'));
  await stage.quiet();
  stage.must('gh was not called', github.commands().length === before);
}

async function docsPullRequest(stage, github) {
  stage.act('Somebody opens a pull request about documentation');
  await github.open({ isPull: true });
  const pull = github.state.issues.get(2);
  await stage.happens('it has a review', () => pull.reviews.length > 0);
  await stage.quiet();
  stage.must('one review, which approves nothing', pull.reviews.length === 1 && pull.reviews[0].state === 'commented');
  stage.must('its text tells that an AI Worker wrote it', pull.reviews[0].body.includes('<!-- helix-activation: '));

  await github.open({ isPull: true, number: 9, title: 'Rename the option --port' });
  await stage.until('w-doc-engineer looked at another one', isAbout('Rename the option --port'));
  await stage.quiet();
  const other = github.state.issues.get(9);
  stage.must('a pull request about something else has no review', other.reviews.length === 0);
  other.labels.push('docs');
  await github.happen('pull_request', 'labeled', { item: other, label: { name: 'docs' } });
  await stage.happens('it has one once somebody labels it docs', () => other.reviews.length > 0);
  await stage.quiet();
}

async function sweep(stage, github) {
  stage.act('The backlog is swept');
  const docs = github.add({ number: 11, title: 'Document the flags of the installer', body: 'They are nowhere.' });
  const other = github.add({ number: 12, title: 'Slow on large files', body: 'Minutes.' });
  await stage.call('publish', { streamId: 's-tick-daily', body: 'sweep' });
  await stage.happens('the forgotten issue has the label docs', () => docs.labels.includes('docs'));
  await stage.quiet();
  stage.must('and the other one has none', other.labels.length === 0);
}

async function roleEdit(stage, github) {
  stage.act('The Role is edited live');
  const content = role(stage, github.repo).replaceAll('`docs`', '`documentation`');
  await stage.call('update_role', { roleId: 'r-doc-engineer', content });
  await github.open({ number: 13, title: 'Typo in the documentation of the API', body: 'It says teh.' });
  const issue = github.state.issues.get(13);
  await stage.happens('the next issue has the new label', () => issue.labels.includes('documentation'));
  await stage.quiet();
  stage.must('and not the old one', !issue.labels.includes('docs'));
}

async function teardown(stage, repo) {
  stage.act('Teardown');
  await stage.control('github.disconnect', { repo });
  stage.say(`$ helix-org github disconnect ${repo}  →  the webhook is gone`);
  await stage.control('config.delete', { key: 'transport.github' });
  const { settings } = await stage.control('config.list');
  const { from } = settings.find(({ key }) => key === 'transport.github');
  stage.must('transport.github is not set any more', from === 'default');
}

async function liveIssue(stage, { repo, account }) {
  stage.act('Now it is your turn');
  stage.say(`Open an issue about documentation, such as a typo in the README: https://github.com/${repo}/issues/new`);
  const { id } = await stage.until('your issue is here', ({ streamId }) => streamId === 's-github');
  const { message } = await stage.look('get_event', { id });
  const headers = { authorization: `Bearer ${account.token}` };
  await stage.happens('your issue has the label docs', async () => {
    const response = await fetch(`https://api.github.com/repos/${repo}/issues/${message.thread_id.slice(1)}`, {
      headers,
    });
    const { labels = [] } = await response.json();
    return labels.some(({ name }) => name === 'docs');
  });
}

const isAbout = (subject) => (event) => event.streamId === 's-github' && event.subject === subject;
const edits = (github) => github.commands().filter((command) => command.startsWith('issue edit'));
