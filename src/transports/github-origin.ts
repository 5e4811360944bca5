// Whether a delivery is the doing of an AI Worker of ours, by the mark that the wrappers of gh and git leave in the text that
// was just written, or in the commit it is about. Texts that somebody else only touches (labels, closes, reviews) say nothing.
import { createGithubApi, GITHUB_API_URL } from './github-api.ts';
import { type GithubDelivery, type Payload, textAt, valueAt } from './github-delivery.ts';
import type { Inbound } from './transport.ts';

/** At the end, where the wrapper puts it, and in no quotation. */
const COMMENT = /(?:^|\n)<!-- helix-activation: ([\w.-]{1,200})(?: \w{1,40})? -->\s*$/;
const TRAILER = /^Helix-Activation: ([\w.-]{1,200})\s*$/gm;

/** How long GitHub may take to say what a commit's message is; the delivery waits for it. */
const RECALL_MS = 3_000;
/** Commits whose marks are remembered: checks of one commit come by the dozen. */
const RECALLED_MAX = 500;

/** The mark; or the commit whose message would tell. */
export function originOf({ event, payload }: GithubDelivery): Inbound['origin'] {
  const written = writtenText(event, payload);
  if (written !== undefined) return toOrigin(markIn(written, textAt(payload, 'changes', 'body', 'from')));
  const message = commitMessage(event, payload);
  if (message !== undefined) return toOrigin(trailerIn(message));
  const repo = textAt(payload, 'repository', 'full_name');
  const sha = commitId(event, payload);
  const isCommit = /^[0-9a-f]{7,64}$/.test(sha) && /^[\w.-]+\/[\w.-]+$/.test(repo);
  return isCommit ? { reference: `${repo}/commits/${sha}` } : undefined;
}

const toOrigin = (mark: string | undefined) => (mark === undefined ? undefined : { mark });

const recalled = new Map<string, Promise<string | undefined>>();

/** Reads the message of a commit, once. Without a token nobody of ours wrote one with it. */
export async function recallMark(reference: string, account: unknown): Promise<string | undefined> {
  const { token, api_url: apiUrl = GITHUB_API_URL } = (account ?? {}) as { token?: string; api_url?: string };
  if (!token) return undefined;
  const key = `${apiUrl} ${reference}`;
  const known = recalled.get(key) ?? readMark(reference, { token, apiUrl });
  recalled.set(key, known);
  // What failed is asked again the next time.
  known.catch(() => recalled.delete(key));
  for (const [oldest] of recalled) if (recalled.size > RECALLED_MAX) recalled.delete(oldest);
  return known;
}

async function readMark(reference: string, access: { token: string; apiUrl: string }): Promise<string | undefined> {
  const api = createGithubApi({ ...access, timeoutMs: RECALL_MS }, reference);
  const { value } = await api.call<unknown>('GET', `/repos/${reference}`);
  return trailerIn(textAt(value, 'commit', 'message'));
}

/** The mark of a commit: of the last trailer, which is that of who amended it. */
const trailerIn = (message: string): string | undefined => [...message.matchAll(TRAILER)].at(-1)?.[1];

/** Somebody who changes a text leaves the mark in it that was there before. */
function markIn(text: string, before: string): string | undefined {
  const found = COMMENT.exec(text);
  return found && !before.includes(found[0].trim()) ? found[1] : undefined;
}

/** What the sender just wrote; undefined when it is no text. */
function writtenText(event: string, payload: Payload): string | undefined {
  const action = textAt(payload, 'action');
  switch (event) {
    case 'issue_comment':
    case 'pull_request_review_comment':
    case 'discussion_comment':
    case 'commit_comment':
      return isOneOf(action, 'created', 'edited') ? textAt(payload, 'comment', 'body') : undefined;
    case 'pull_request_review':
      return isOneOf(action, 'submitted', 'edited') ? textAt(payload, 'review', 'body') : undefined;
    case 'issues':
      return isOneOf(action, 'opened', 'edited') ? textAt(payload, 'issue', 'body') : undefined;
    case 'pull_request':
      return isOneOf(action, 'opened', 'edited') ? textAt(payload, 'pull_request', 'body') : undefined;
    case 'discussion':
      return isOneOf(action, 'created', 'edited') ? textAt(payload, 'discussion', 'body') : undefined;
    case 'release':
      return isOneOf(action, 'created', 'published', 'released', 'prereleased', 'edited')
        ? textAt(payload, 'release', 'body')
        : undefined;
    default:
      return undefined;
  }
}

/** The message of the commit it is about, where the delivery has it. */
function commitMessage(event: string, payload: Payload): string | undefined {
  switch (event) {
    case 'push': {
      // Who presses "merge" puts other people's commits, with their trailers, into one of GitHub's making.
      const committer = valueAt(payload, 'head_commit', 'committer');
      const isMerge =
        textAt(committer, 'username') === 'web-flow' || textAt(committer, 'email') === 'noreply@github.com';
      return isMerge ? '' : textAt(payload, 'head_commit', 'message');
    }
    case 'check_suite':
    case 'workflow_run':
      return textAt(payload, event, 'head_commit', 'message');
    case 'status':
      return textAt(payload, 'commit', 'commit', 'message');
    default:
      return undefined;
  }
}

/** The commit it is about, where nothing more is said of it. */
function commitId(event: string, payload: Payload): string {
  switch (event) {
    case 'pull_request':
      return textAt(payload, 'action') === 'synchronize' ? textAt(payload, 'pull_request', 'head', 'sha') : '';
    case 'check_run':
    case 'workflow_job':
      return textAt(payload, event, 'head_sha');
    case 'deployment':
    case 'deployment_status':
      return textAt(payload, 'deployment', 'sha');
    default:
      return '';
  }
}

const isOneOf = (action: string, ...actions: string[]): boolean => actions.includes(action);
