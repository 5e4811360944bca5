// Which Events of a Stream wake a subscriber. Decided before anything is started: half of all wakes elsewhere do nothing.
import { invalid } from './errors.ts';
import type { Message } from './message.ts';

/**
 * For each named field one of the patterns must match. A pattern is text, case-insensitive, in which `*` stands for anything.
 * `subject` and `body` match anywhere; the others match as a whole.
 */
export type SubscriptionFilter = Partial<Record<FilterField, string[]>>;

export const FILTER_FIELDS = ['event', 'action', 'label', 'from', 'subject', 'body'] as const;
export type FilterField = (typeof FILTER_FIELDS)[number];

const PATTERNS_MAX = 20;
const PATTERN_MAX = 200;

/** @throws OrgError invalid for an unknown field, no pattern, or patterns too many or too long */
export function checkFilter(filter: Record<string, string[]>): SubscriptionFilter {
  for (const [field, patterns] of Object.entries(filter)) {
    if (!(FILTER_FIELDS as readonly string[]).includes(field)) {
      throw invalid(`filter: unknown field "${field}" (valid: ${FILTER_FIELDS.join(', ')})`);
    }
    if (patterns.length === 0 || patterns.length > PATTERNS_MAX)
      throw invalid(`filter.${field}: give 1 to ${PATTERNS_MAX} patterns`);
    if (patterns.some((pattern) => pattern === '' || pattern.length > PATTERN_MAX)) {
      throw invalid(`filter.${field}: a pattern has 1 to ${PATTERN_MAX} characters`);
    }
  }
  return filter;
}

export function passes(filter: SubscriptionFilter, message: Message): boolean {
  return FILTER_FIELDS.every((field) => {
    const patterns = filter[field];
    if (!patterns) return true;
    const anywhere = field === 'subject' || field === 'body';
    const values = valuesOf(field, message);
    return patterns.some((pattern) => values.some((value) => like(anywhere ? `*${pattern}*` : pattern, value)));
  });
}

function valuesOf(field: FilterField, message: Message): string[] {
  const extra = (message.extra ?? {}) as Record<string, unknown>;
  switch (field) {
    case 'from':
      return [message.from ?? ''];
    case 'subject':
      return [message.subject ?? ''];
    case 'body':
      return [message.body ?? ''];
    case 'event':
    case 'action':
      return typeof extra[field] === 'string' ? [extra[field]] : [];
    case 'label':
      return labelsOf(extra);
  }
}

/** GitHub puts the label that changed at the top and all labels at the issue or pull request. */
function labelsOf(extra: Record<string, unknown>): string[] {
  const holders = [extra, extra.issue, extra.pull_request] as ({ label?: unknown; labels?: unknown } | undefined)[];
  const labels = holders.flatMap((holder) => [holder?.label, ...(Array.isArray(holder?.labels) ? holder.labels : [])]);
  return labels.flatMap((label) => {
    const name = (label as { name?: unknown } | null | undefined)?.name;
    return typeof name === 'string' ? [name] : [];
  });
}

/** Greedy wildcard match; its work is bounded by the product of the lengths, whatever the pattern. */
export function like(pattern: string, value: string): boolean {
  const wanted = pattern.toLowerCase().split('*');
  const text = value.toLowerCase();
  const [first = '', ...middle] = wanted;
  const last = middle.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of middle) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
