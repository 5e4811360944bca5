// Whether a delivery is the doing of an AI Worker of ours, by the mark that the wrappers of gh and git leave in the text that
// was just written, or in the commit it is about. Texts that somebody else only touches (labels, closes, reviews) say nothing.
import { type GithubDelivery, type Payload, textAt, valueAt } from './github-delivery.ts';

/** At the end, where the wrapper puts it, and in no quotation. */
const COMMENT = /(?:^|\n)<!-- helix-activation: ([\w.-]{1,200})(?: \w{1,40})? -->\s*$/;
const TRAILER = /^Helix-Activation: ([\w.-]{1,200})\s*$/gm;

/** A commit whose message the delivery does not bring along. */
export type CommitRef = { repo: string; sha: string };

/** The mark; or the commit whose message would tell. */
export function originOf({ event, payload }: GithubDelivery): { mark?: string; commit?: CommitRef } {
  const written = writtenText(event, payload);
  if (written !== undefined) return markIn(written, COMMENT, textAt(payload, 'changes', 'body', 'from'));
  const message = commitMessage(event, payload);
  if (message !== undefined) return trailerIn(message);
  const sha = commitId(event, payload);
  const repo = textAt(payload, 'repository', 'full_name');
  return /^[0-9a-f]{7,64}$/.test(sha) && /^[\w.-]+\/[\w.-]+$/.test(repo) ? { commit: { repo, sha } } : {};
}

/** The mark of a commit: of the last trailer, which is that of who amended it. */
export function trailerIn(message: string): { mark?: string } {
  const mark = [...message.matchAll(TRAILER)].at(-1)?.[1];
  return mark ? { mark } : {};
}

/** Somebody who changes a text leaves the mark in it that was there before. */
function markIn(text: string, pattern: RegExp, before: string): { mark?: string } {
  const found = pattern.exec(text);
  if (!found?.[1] || before.includes(found[0].trim())) return {};
  return { mark: found[1] };
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
      const isMerge = textAt(committer, 'username') === 'web-flow' || textAt(committer, 'email') === 'noreply@github.com';
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
