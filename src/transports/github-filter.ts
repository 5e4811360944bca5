// Which deliveries land on a Stream: its config, and how it is compared with a payload.
import { z } from 'zod';
import { like } from '../domain/filter.ts';
import { type GithubDelivery, listAt, type Payload, textAt, valueAt } from './github-delivery.ts';
import { EVERY_EVENT, GITHUB_EVENTS } from './github-events.ts';

const FIELDS = ['repo', 'events', 'actions', 'branches', 'labels', 'senders'];
const PATTERNS_MAX = 100;
const PATTERN_MAX = 250;

const known: ReadonlySet<string> = new Set([EVERY_EVENT, ...GITHUB_EVENTS]);
const EVENTS_MISSING = 'github transport: events whitelist is required and must be non-empty';

const patterns = (field: string) =>
  z
    .array(
      z
        .string({ error: `parse github config: ${field} must be a list of texts` })
        .regex(/^!?[^!\s]/, `github transport: ${field} has an empty pattern`)
        .max(PATTERN_MAX, `github transport: ${field} has a pattern of more than ${PATTERN_MAX} characters`),
      { error: `parse github config: ${field} must be a list of texts` },
    )
    .min(1, `github transport: ${field} must not be empty; leave it out to take all`)
    .max(PATTERNS_MAX, `github transport: ${field} has more than ${PATTERNS_MAX} patterns`)
    .optional();

/** Patterns are text in which `*` stands for anything, whatever its case; one that begins with `!` keeps out. */
export const githubConfig = z.strictObject(
  {
    repo: z.string({ error: 'github transport: repo is required' }).superRefine((repo, context) => {
      if (repo.trim() === '') context.addIssue('github transport: repo is required');
      else if (!/^[^/\s]+\/[^/\s]+$/.test(repo))
        context.addIssue(`github transport: repo ${JSON.stringify(repo.slice(0, 100))} must be of the form owner/name`);
    }),
    events: z
      .array(
        z.string({ error: 'parse github config: events must be a list of texts' }).superRefine((event, context) => {
          if (!known.has(event))
            context.addIssue(
              `github transport: unknown event ${JSON.stringify(event.slice(0, 100))} (supported: ${[...known].join(', ')})`,
            );
        }),
        { error: ({ input }) => (input === undefined ? EVENTS_MISSING : 'parse github config: events must be a list') },
      )
      .min(1, EVENTS_MISSING),
    actions: patterns('actions'),
    branches: patterns('branches'),
    labels: patterns('labels'),
    senders: patterns('senders'),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `parse github config: there is no ${issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')} (valid: ${FIELDS.join(', ')})`
        : 'parse github config: must be an object',
  },
);

export type GithubConfig = z.output<typeof githubConfig>;

/**
 * Whether a delivery is for a Stream. A filter concerns only what has such a property: `actions` lets a push through,
 * which has none, `labels` a star; but an issue without labels has none of those asked for.
 */
export function isFor({ event, payload }: GithubDelivery, config: GithubConfig): boolean {
  const repo = textAt(payload, 'repository', 'full_name');
  // What GitHub says about the hook itself, once, when it is made.
  if (repo === '' || event === 'ping') return false;
  if (!like(config.repo, repo)) return false;
  if (!config.events.includes(EVERY_EVENT) && !config.events.includes(event)) return false;
  const action = textAt(payload, 'action');
  return (
    fits(config.actions, action === '' ? undefined : [action, `${event}.${action}`]) &&
    fits(config.branches, branchesOf(event, payload)) &&
    fits(config.labels, labelsOf(payload)) &&
    fits(config.senders, [textAt(payload, 'sender', 'login')])
  );
}

function fits(wanted: string[] | undefined, values: string[] | undefined): boolean {
  if (!wanted || !values) return true;
  const some = (pattern: string) => values.some((value) => like(pattern, value));
  if (wanted.some((pattern) => pattern.startsWith('!') && some(pattern.slice(1)))) return false;
  const positive = wanted.filter((pattern) => !pattern.startsWith('!'));
  return positive.length === 0 || positive.some(some);
}

/** The branch it is about: for a pull request the one it goes into. A tag is none; undefined where there is no such thing. */
function branchesOf(event: string, payload: Payload): string[] | undefined {
  switch (event) {
    case 'push':
    case 'workflow_dispatch':
      return branchOfRef(textAt(payload, 'ref'));
    case 'create':
    case 'delete':
      return textAt(payload, 'ref_type') === 'branch' ? [textAt(payload, 'ref')] : [];
    case 'check_run':
      return [textAt(payload, 'check_run', 'check_suite', 'head_branch')];
    case 'check_suite':
    case 'workflow_run':
    case 'workflow_job':
      return [textAt(payload, event, 'head_branch')];
    case 'status':
      return listAt(payload, 'branches').map((branch) => textAt(branch, 'name'));
    case 'deployment':
    case 'deployment_status':
      return [textAt(payload, 'deployment', 'ref')];
    case 'merge_group':
      return branchOfRef(textAt(payload, 'merge_group', 'base_ref'));
    case 'repository_dispatch':
      return [textAt(payload, 'branch')];
    default: {
      const base = textAt(payload, 'pull_request', 'base', 'ref');
      return base === '' ? undefined : [base];
    }
  }
}

const branchOfRef = (ref: string): string[] => {
  if (ref.startsWith('refs/heads/')) return [ref.slice('refs/heads/'.length)];
  return ref.startsWith('refs/') ? [] : [ref];
};

/** Of the issue, pull request or discussion, and the one that was put on or taken off. */
function labelsOf(payload: Payload): string[] | undefined {
  const items = ['issue', 'pull_request', 'discussion'].map((name) => valueAt(payload, name));
  const item = items.find((each) => each !== undefined);
  if (item === undefined) return undefined;
  return [valueAt(payload, 'label'), ...listAt(item, 'labels')].map((label) => textAt(label, 'name'));
}
