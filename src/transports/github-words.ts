// One sentence, a text and a thread for what GitHub gives no title: pushes, checks, runs, deployments, alerts and the rest.
import { listAt, numberAt, type Payload, textAt } from './github-delivery.ts';

export type Words = { subject: string; body: string; thread: string };

const COMMITS_SHOWN = 50;

/** What happened, in words; for types that are not known here, made from their name. */
export function wordsFor(event: string, payload: Payload): Words {
  const words = Object.hasOwn(SAID, event) ? SAID[event]?.(payload) : undefined;
  return { body: '', thread: '', ...words, subject: words?.subject || general(event, payload) };
}

const SAID: Record<string, (payload: Payload) => Partial<Words>> = {
  push: pushed,
  create: (payload) => refChanged('new', payload),
  delete: (payload) => refChanged('deleted', payload),
  release(payload) {
    const tag = textAt(payload, 'release', 'tag_name');
    return { subject: `release ${tag} ${textAt(payload, 'action')}`, thread: tag && `refs/tags/${tag}` };
  },
  check_run(payload) {
    const output = ['title', 'summary'].map((name) => textAt(payload, 'check_run', 'output', name));
    const branch = textAt(payload, 'check_run', 'check_suite', 'head_branch');
    return {
      subject: `check ${textAt(payload, 'check_run', 'name')}: ${resultOf(payload, 'check_run')}${on(branch)}`,
      body: lines(...output, textAt(payload, 'check_run', 'html_url')),
      thread: threadOfRun(payload, 'check_run', branch),
    };
  },
  check_suite(payload) {
    const branch = textAt(payload, 'check_suite', 'head_branch');
    return {
      subject: `checks of ${textAt(payload, 'check_suite', 'app', 'name')}: ${resultOf(payload, 'check_suite')}${on(branch)}`,
      body: textAt(payload, 'check_suite', 'head_commit', 'message'),
      thread: threadOfRun(payload, 'check_suite', branch),
    };
  },
  workflow_run(payload) {
    const name = textAt(payload, 'workflow_run', 'name') || textAt(payload, 'workflow', 'name');
    const branch = textAt(payload, 'workflow_run', 'head_branch');
    return {
      subject: `workflow ${name}: ${resultOf(payload, 'workflow_run')}${on(branch)}`,
      body: lines(textAt(payload, 'workflow_run', 'display_title'), textAt(payload, 'workflow_run', 'html_url')),
      thread: threadOfRun(payload, 'workflow_run', branch),
    };
  },
  workflow_job(payload) {
    const branch = textAt(payload, 'workflow_job', 'head_branch');
    const workflow = textAt(payload, 'workflow_job', 'workflow_name');
    return {
      subject: `job ${textAt(payload, 'workflow_job', 'name')}${workflow && ` of ${workflow}`}: ${resultOf(payload, 'workflow_job')}${on(branch)}`,
      body: textAt(payload, 'workflow_job', 'html_url'),
      thread: branch && `refs/heads/${branch}`,
    };
  },
  workflow_dispatch: (payload) => ({
    subject: `workflow ${textAt(payload, 'workflow')} started by hand${on(shortRef(textAt(payload, 'ref')))}`,
    thread: textAt(payload, 'ref'),
  }),
  status(payload) {
    const branch = textAt(listAt(payload, 'branches')[0], 'name');
    return {
      subject: `status ${textAt(payload, 'context')}: ${textAt(payload, 'state')}${on(branch || short(textAt(payload, 'sha')))}`,
      body: lines(textAt(payload, 'description'), textAt(payload, 'target_url')),
      thread: branch && `refs/heads/${branch}`,
    };
  },
  deployment: (payload) => deployed(payload, textAt(payload, 'deployment', 'description')),
  deployment_status(payload) {
    const words = deployed(payload, textAt(payload, 'deployment_status', 'description'));
    return { ...words, subject: `${words.subject}: ${textAt(payload, 'deployment_status', 'state')}` };
  },
  merge_group: (payload) => ({
    subject: `merge group ${spaced(textAt(payload, 'action'))}: ${firstLine(textAt(payload, 'merge_group', 'head_commit', 'message'))}`,
    thread: textAt(payload, 'merge_group', 'head_ref'),
  }),
  commit_comment(payload) {
    const commit = textAt(payload, 'comment', 'commit_id');
    return { subject: `comment on commit ${short(commit)}`, thread: commit };
  },
  gollum(payload) {
    const pages = listAt(payload, 'pages').map((page) => `${textAt(page, 'title')} ${textAt(page, 'action')}`);
    return { subject: `wiki: ${pages[0] ?? ''}${more(pages)}`, body: pages.length > 1 ? lines(...pages) : '' };
  },
  fork: (payload) => ({
    subject: `forked to ${textAt(payload, 'forkee', 'full_name')}`,
    body: textAt(payload, 'forkee', 'html_url'),
  }),
  public: () => ({ subject: 'the repository was made public' }),
  star: (payload) => ({ subject: textAt(payload, 'action') === 'deleted' ? 'star taken back' : 'new star' }),
  watch: () => ({ subject: 'new star (watch)' }),
  page_build: (payload) => ({
    subject: `pages build: ${textAt(payload, 'build', 'status')}`,
    body: textAt(payload, 'build', 'error', 'message'),
  }),
  repository_dispatch: (payload) => ({ subject: `dispatch: ${textAt(payload, 'action')}` }),
  dependabot_alert: (payload) =>
    alerted(payload, 'dependabot', textAt(payload, 'alert', 'security_advisory', 'summary')),
  code_scanning_alert: (payload) => alerted(payload, 'code scanning', textAt(payload, 'alert', 'rule', 'description')),
  secret_scanning_alert: (payload) =>
    alerted(payload, 'secret scanning', textAt(payload, 'alert', 'secret_type_display_name')),
  repository_vulnerability_alert: (payload) =>
    alerted(payload, 'vulnerability', textAt(payload, 'alert', 'affected_package_name')),
};

function pushed(payload: Payload): Partial<Words> {
  const ref = textAt(payload, 'ref');
  const isTag = ref.startsWith('refs/tags/');
  const name = `${isTag ? 'tag' : 'branch'} ${shortRef(ref)}`;
  const commits = listAt(payload, 'commits');
  const shown = commits.slice(0, COMMITS_SHOWN).map((commit) => {
    const author = textAt(commit, 'author', 'username') || textAt(commit, 'author', 'name');
    return `${short(textAt(commit, 'id'))} ${firstLine(textAt(commit, 'message'))}${author && ` (${author})`}`;
  });
  const left = commits.length - shown.length;
  const body = lines(...shown, left > 0 ? `and ${left} more` : '', textAt(payload, 'compare'));
  if (payload.deleted === true) return { subject: `deleted ${name}`, thread: ref };
  if (isTag || commits.length === 0)
    return { subject: `${payload.created === true ? 'new' : 'moved'} ${name}`, body, thread: ref };
  const count = commits.length === 1 ? '1 commit' : `${commits.length} commits`;
  const how = payload.forced === true ? 'force-pushed' : 'pushed';
  const title = firstLine(textAt(payload, 'head_commit', 'message'));
  return { subject: `${how} ${count} to ${shortRef(ref)}: ${title}`, body, thread: ref };
}

function refChanged(how: string, payload: Payload): Partial<Words> {
  const [ref, type] = [textAt(payload, 'ref'), textAt(payload, 'ref_type')];
  const folder = { branch: 'heads', tag: 'tags' }[type];
  return { subject: `${how} ${type} ${ref}`, thread: folder ? `refs/${folder}/${ref}` : '' };
}

function deployed(payload: Payload, body: string): Words {
  const environment = textAt(payload, 'deployment', 'environment');
  const ref = textAt(payload, 'deployment', 'ref');
  return {
    subject: `deployment of ${ref} to ${environment}`,
    body,
    thread: environment && `deployment/${environment}`,
  };
}

function alerted(payload: Payload, kind: string, what: string): Words {
  const number = numberAt(payload, 'alert', 'number');
  return {
    subject: `${kind} alert${number && ` #${number}`} ${spaced(textAt(payload, 'action'))}: ${what}`,
    body: lines(textAt(payload, 'alert', 'security_advisory', 'description'), textAt(payload, 'alert', 'html_url')),
    thread: number && `${kind} alert ${number}`,
  };
}

/** Such as `milestone v1.0 closed`. */
function general(event: string, payload: Payload): string {
  const holders = [event, 'rule', 'key', 'project', 'package', 'team', 'member', 'repository'];
  const names = holders.flatMap((holder) =>
    ['title', 'name', 'login', 'note'].map((field) => textAt(payload, holder, field)),
  );
  const name = firstLine(names.find((each) => each !== '') ?? '');
  return [spaced(event), name, spaced(textAt(payload, 'action'))].filter(Boolean).join(' ');
}

/** The pull request a run belongs to, else its branch. */
function threadOfRun(payload: Payload, run: string, branch: string): string {
  const number = numberAt(listAt(payload, run, 'pull_requests')[0], 'number');
  return number ? `#${number}` : branch && `refs/heads/${branch}`;
}

const resultOf = (payload: Payload, run: string): string =>
  spaced(textAt(payload, run, 'conclusion') || textAt(payload, run, 'status') || textAt(payload, 'action'));
const on = (where: string): string => where && ` on ${where}`;
const spaced = (words: string): string => words.replaceAll('_', ' ');
const short = (sha: string): string => sha.slice(0, 7);
const shortRef = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '');
const firstLine = (text: string): string => text.trimStart().split(/[\r\n]/, 1)[0] ?? '';
const lines = (...texts: string[]): string => texts.filter((text) => text !== '').join('\n');
const more = (all: string[]): string => (all.length > 1 ? ` and ${all.length - 1} more` : '');
