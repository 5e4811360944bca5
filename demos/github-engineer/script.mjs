// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.
import { openGithub } from '../stand-ins/github.mjs';
import { makeRemote } from '../stand-ins/remote.mjs';

export const title = 'a software engineer takes an issue to a pull request, moves its card, and never merges';

export const needs = [
  { program: 'gh', what: 'install it from https://cli.github.com; the Worker acts with it.' },
  { program: 'git', what: 'the Worker makes a branch with it.' },
  {
    variable: 'HELIX_DEMO_GITHUB_TOKEN',
    what: 'a token that may manage the webhooks, contents, issues and pull requests of the repository, and its owner’s projects.',
  },
  { variable: 'HELIX_DEMO_REPO', what: 'owner/name of a repository of yours to play with.' },
  {
    variable: 'HELIX_DEMO_PROJECT',
    what: 'number of a project of the owner whose Status has Todo, In Progress, In Review and Done.',
  },
  {
    option: '--public-url',
    what: 'the https address at which GitHub reaches this machine, such as a tunnel to the port of --addr.',
  },
];

/** @param {import('../../src/cli/stand-in.ts').Scene} scene */
export async function outside(scene) {
  const { HELIX_DEMO_GITHUB_TOKEN: token, HELIX_DEMO_REPO: repo, HELIX_DEMO_PROJECT: project } = scene.environment;
  if (scene.isLive) return { repo, project, account: { token } };
  const remote = makeRemote(scene.directory, { 'README.md': '# Hello World\n\nSay helo to the world.\n' });
  const github = await openGithub(scene, {
    repo: 'Codertocat/Hello-World',
    payloads: new URL('payloads/', import.meta.url),
    cloneUrl: remote.url,
  });
  scene.program('gh', new URL('../stand-ins/gh.mjs', import.meta.url));
  return { repo: github.repo, project: '1', account: github.account, github, remote };
}

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage, world) {
  await connect(stage, world);
  if (!world.github) return live(stage, world);
  await fromIssueToPullRequest(stage, world);
  await changesAreAskedFor(stage, world);
  await merged(stage, world);
  await closedUnmerged(stage, world);
  await theBoardIsBroken(stage, world);
  stage.must('the Worker never merged', !world.github.commands().some((command) => /\bmerge\b/.test(command)));
}

async function connect(stage, { repo, project, account }) {
  stage.act('A software engineer is hired for a repository');
  await stage.control('config.set', { key: 'transport.github', value: account });
  const events = ['issues', 'pull_request', 'pull_request_review'];
  await stage.call('create_stream', {
    id: 's-github',
    name: 'github',
    transport: { kind: 'github', config: { repo, events, actions: ['opened', 'closed', 'submitted'] } },
  });
  const made = await stage.control('github.connect', { repo, stream: 's-github' });
  stage.say(`$ helix-org github connect ${repo} --stream s-github  →  webhook ${made.hook}, its ping arrived`);
  const content = stage.text('roles/software-engineer.md').replaceAll('{project}', project);
  await stage.call('create_role', { id: 'r-software-engineer', content });
  await stage.call('create_position', { id: 'p-engineer', roleId: 'r-software-engineer', parentId: 'p-root' });
  await stage.call('hire_worker', {
    id: 'w-software-engineer',
    positionId: 'p-engineer',
    kind: 'ai',
    identityContent: stage.text('workers/software-engineer.md'),
    grants: ['subscribe', 'read_events', 'get_event', 'dm', 'agent:Bash(gh *)', 'agent:Bash(git *)'],
  });
  await stage.until('it has set itself up', stage.ended('w-software-engineer'));
}

async function fromIssueToPullRequest(stage, { github, remote }) {
  stage.act('Somebody opens an issue');
  await github.open({});
  const pull = await stage.happens('there is a pull request', () => pullFor(github, 1));
  await stage.happens('its card is in In Review', () => columnOf(github, 1) === 'In Review');
  await stage.quiet();
  const card = github.state.cards.find(({ number }) => number === 1);
  stage.must(
    'the card went Todo → In Progress → In Review',
    card.history.join(' → ') === 'Todo → In Progress → In Review',
  );
  stage.must('the issue was told who works on it', github.state.issues.get(1).comments.length === 1);
  stage.must(
    `the branch ${pull.head} was pushed`,
    /^issue-1-[a-z-]+$/.test(pull.head) && remote.branches().includes(pull.head),
  );
  stage.must('the pull request closes the issue when it is merged', pull.body.includes('Closes #1'));
}

async function changesAreAskedFor(stage, { github, remote }) {
  stage.act('A reviewer asks for a change');
  const pull = pullFor(github, 1);
  const before = remote.commits(pull.head);
  const review = { state: 'changes_requested', body: 'Please mention the universe as well.' };
  await github.happen('pull_request_review', 'submitted', { item: pull, review });
  await stage.happens('a commit was pushed to the same branch', () => remote.commits(pull.head) > before);
  await stage.quiet();
  stage.must('the pull request is still the only one', pulls(github).length === 1);
  stage.must(
    'its commits name the activation they were made in',
    remote.message(pull.head).includes('Helix-Activation: '),
  );
}

async function merged(stage, { github }) {
  stage.act('A person merges it');
  const pull = pullFor(github, 1);
  Object.assign(pull, { state: 'closed', merged: true });
  await github.happen('pull_request', 'closed', { item: pull });
  await stage.happens('the card is in Done', () => columnOf(github, 1) === 'Done');
  await stage.quiet();
}

async function closedUnmerged(stage, { github }) {
  stage.act('Another pull request is closed without a merge');
  await github.open({ number: 5, title: 'Greet in French too', body: 'Bonjour.' });
  const pull = await stage.happens('there is a pull request', () => pullFor(github, 5));
  await stage.happens('its card is in In Review', () => columnOf(github, 5) === 'In Review');
  await stage.quiet();
  pull.state = 'closed';
  await github.happen('pull_request', 'closed', { item: pull });
  await stage.happens('the card is back in Todo', () => columnOf(github, 5) === 'Todo');
  await stage.quiet();
}

async function theBoardIsBroken(stage, { github }) {
  stage.act('The board loses a column');
  github.state.columns = ['Todo', 'In Progress', 'Done'];
  await github.open({ number: 8, title: 'Greet in Latin too', body: 'Salve.' });
  const told = await stage.until('the owner is told', isToOwner);
  await stage.quiet();
  stage.must(
    'by one message that names what is missing',
    told.body.includes('In Review') && stage.events().filter(isToOwner).length === 1,
  );
  stage.must('and nothing was begun', pullFor(github, 8) === undefined && columnOf(github, 8) === undefined);
}

async function live(stage, { repo }) {
  stage.act('Now it is your turn');
  stage.say(`Open an issue that a small change solves: https://github.com/${repo}/issues/new`);
  await happened(stage, 'your issue is here', { event: 'issues', action: 'opened' });
  stage.say('The Worker takes it; look at the board.');
  await happened(stage, 'there is a pull request', { event: 'pull_request', action: 'opened' });
  stage.say('Review it, then merge it: nobody else does.');
  await happened(stage, 'it is merged or closed', { event: 'pull_request', action: 'closed' });
  await stage.quiet();
}

/** Waits for an Event of GitHub's of this kind. */
const happened = (stage, what, { event, action }) =>
  stage.happens(what, async () => {
    const { events } = await stage.look('list_stream_events', { streamId: 's-github' });
    return events.some(({ message }) => message.extra.event === event && message.extra.action === action);
  });

const pulls = (github) => [...github.state.issues.values()].filter(({ isPull }) => isPull);
const pullFor = (github, number) => pulls(github).find(({ head }) => head.startsWith(`issue-${number}-`));
const columnOf = (github, number) => github.state.cards.find((card) => card.number === number)?.column;
const isToOwner = ({ source, streamId }) =>
  source === 'w-software-engineer' && streamId.startsWith('s-dm-') && streamId.includes('w-owner');
