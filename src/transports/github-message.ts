// What a delivery of GitHub's becomes. Issues, pull requests and discussions speak for themselves; everything else gets a
// subject that says what happened.
import { constants, gzipSync } from 'node:zlib';
import type { ContentPart } from '../domain/entry.ts';
import { encodeMessage } from '../domain/message.ts';
import { type GithubDelivery, isObject, listAt, numberAt, type Payload, textAt } from './github-delivery.ts';
import { type Words, wordsFor } from './github-words.ts';

/**
 * A larger body is kept whole in `raw.gz` only, so that storing it takes no long either; `extra` then lacks the payload's
 * largest fields and names them.
 */
const EXTRA_BYTES_MAX = 1_048_576;
/** GitHub's own texts are at most a tenth of this. */
const BODY_MAX = 262_144;
const SUBJECT_MAX = 1_000;

/** The Message, and beside it the bytes as they came. */
export function toContent(delivery: GithubDelivery, raw: Uint8Array): ContentPart[] {
  const { event, id, payload } = delivery;
  const { subject, body, thread } = described(event, payload);
  const message = {
    from: textAt(payload, 'sender', 'login') || textAt(payload, 'pusher', 'name'),
    subject: clipped(subject, SUBJECT_MAX),
    body: clipped(body, BODY_MAX),
    thread_id: clipped(thread, SUBJECT_MAX),
    message_id: id,
  };
  const isLarge = raw.length > EXTRA_BYTES_MAX;
  return [
    { name: 'message', bytes: encodeMessage(message, extraOf(delivery, isLarge)) },
    isLarge ? { name: 'raw.gz', bytes: gzipSync(raw, { level: constants.Z_BEST_SPEED }) } : { name: 'raw', bytes: raw },
  ];
}

/** What a reader sees of it. */
export function described(event: string, payload: Payload): Words {
  const words = wordsFor(event, payload);
  const title =
    textAt(payload, 'pull_request', 'title') ||
    textAt(payload, 'issue', 'title') ||
    textAt(payload, 'release', 'name') ||
    textAt(payload, 'discussion', 'title');
  return {
    subject: title || words.subject,
    body: bodyOf(event, payload) ?? words.body,
    thread: numberOf(payload) || words.thread,
  };
}

function bodyOf(event: string, payload: Payload): string | undefined {
  switch (event) {
    case 'issue_comment':
    case 'pull_request_review_comment':
    case 'discussion_comment':
    case 'commit_comment':
      return textAt(payload, 'comment', 'body');
    case 'pull_request_review':
      return textAt(payload, 'review', 'body');
    case 'pull_request_review_thread':
      return textAt(listAt(payload, 'thread', 'comments').at(-1), 'body');
    case 'issues':
      return textAt(payload, 'issue', 'body');
    case 'pull_request':
    case 'discussion':
    case 'release':
      return textAt(payload, event, 'body');
    default:
      return undefined;
  }
}

/** `#7`: issues, pull requests and discussions of a repository share one row of numbers. */
function numberOf(payload: Payload): string {
  const number =
    numberAt(payload, 'number') ||
    numberAt(payload, 'pull_request', 'number') ||
    numberAt(payload, 'issue', 'number') ||
    numberAt(payload, 'discussion', 'number');
  return number && `#${number}`;
}

/** The payload's own text, so that no digit is lost, with the event's name at its end. */
function extraOf({ event, payload, text }: GithubDelivery, isLarge: boolean): string {
  const name = JSON.stringify(event);
  if (isLarge) return abridged(event, payload);
  return Object.keys(payload).length === 0 ? `{"event":${name}}` : `${text.slice(0, -1)},"event":${name}}`;
}

/** The smallest fields first, as many as fit; the event's own object loses its largest fields in the same way. */
function abridged(event: string, payload: Payload): string {
  const kept: [string, string][] = [];
  const omitted: string[] = [];
  let room = EXTRA_BYTES_MAX / 2;
  const fields = Object.entries(payload).map(([key, value]) => [key, JSON.stringify(value)] as const);
  for (const [key, json] of fields.sort(([, a], [, b]) => a.length - b.length)) {
    const value = json.length > room && isObject(payload[key]) ? shallow(payload[key], room) : json;
    if (value.length > room) omitted.push(key);
    else kept.push([key, value]);
    room -= value.length > room ? 0 : value.length;
  }
  kept.push(['event', JSON.stringify(event)], ['omitted', JSON.stringify([...omitted, 'see the part raw.gz'])]);
  return `{${kept.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

function shallow(object: Payload, room: number): string {
  const entries = Object.entries(object).filter(([, value]) => JSON.stringify(value).length < room / 100);
  return JSON.stringify(Object.fromEntries(entries));
}

/** Cut between characters, with a mark. */
function clipped(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return `${text.slice(0, end)}…`;
}
