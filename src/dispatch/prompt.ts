// What an AI Worker is told when it wakes. Text from outside is always indented, so that it cannot pose as our own lines.
import type { Message } from '../domain/message.ts';
import type { Org } from '../domain/org.ts';
import type { Entry } from '../store/entries.ts';
import { type EventView, toView } from '../store/event-reader.ts';
import type { Batch } from '../store/inbox.ts';

export type PromptParts = {
  workerId: string;
  batch: Batch;
  org: Org;
  policy: string;
  /** Text of each Role, with the Position it comes from. */
  roles: { positionId: string; content: string }[];
  identity: string;
  /** Most characters of one Message body that are shown. */
  bodyMax: number;
  /** Where the files of the triggers are, in the folder, by Event id and part. */
  files?: ReadonlyMap<string, string>;
};

const EXTRA_MAX = 4_096;
/** Most characters of a header such as the subject, and most attachments that are named. */
const HEADER_MAX = 1_000;
const ATTACHMENTS_MAX = 20;

/** Everything a Worker is told, as one text. */
export function renderPrompt(parts: PromptParts): string {
  return joined([...greeting(parts, 'texts below'), ...textBlocks(parts), policyBlock(parts), ...task(parts)]);
}

/** Roles, identity and policy alone, for agents that are given them apart from the prompt. */
export const renderInstructions = (parts: PromptParts): string => joined([...textBlocks(parts), policyBlock(parts)]);

/** The prompt beside {@link renderInstructions}. @param since what happened since the session that goes on was left */
export function renderBrief(parts: PromptParts, since?: string): string {
  const opening = greeting(parts, 'texts you were given');
  return since === undefined
    ? joined([...opening, policyBlock(parts), ...task(parts)])
    : joined([`${since}\n\nNew since then:`, ...task(parts)]);
}

const joined = (sections: string[]) => `${sections.join('\n\n')}\n`;

const greeting = ({ workerId }: PromptParts, texts: string): string[] => [
  `You are ${workerId}, a Worker in an organisation of people and AI Workers. Your folder is the current directory; ` +
    `role.md, identity.md and agent.md in it hold the ${texts}. This activation is a single turn: act, then exit.`,
];

const textBlocks = ({ roles, identity }: PromptParts): string[] => [
  ...roles.map(({ positionId, content }) => `=== Your Role (${positionId}) ===\n${content.trim()}\n=== end role ===`),
  `=== Who you are ===\n${identity.trim()}\n=== end identity ===`,
];

const policyBlock = ({ policy }: PromptParts) => `=== Policy ===\n${policy.trim()}\n=== end policy ===`;

const task = (parts: PromptParts): string[] => [
  ...attemptNote(parts.batch),
  ...triggerBlocks(parts),
  'Act on this now, without preamble, using your tools; then exit.',
];

/** Also at the first attempt, when a run in which the agent failed did not count. */
function attemptNote({ attempt, reason }: Batch): string[] {
  if (attempt <= 1 && reason === undefined) return [];
  return [
    `attempt ${attempt}: ${oneLine(reason ?? 'a previous run was cut off')}. Part of the work may be done already; look before you repeat it.`,
  ];
}

function triggerBlocks(parts: PromptParts): string[] {
  const { triggers } = parts.batch;
  if (triggers.length === 1) return triggers.map((entry) => block('', entry, parts));
  const count = triggers.length;
  return [
    `${count} triggers came together. They are in the order they arrived; often the latest supersedes the ones before it.`,
    ...triggers.map((entry, index) => block(`[${index + 1}/${count}] `, entry, parts)),
  ];
}

function block(label: string, entry: Entry, parts: PromptParts): string {
  return `${label}=== Trigger ===\n${triggerText(entry, parts)}\n=== end trigger ===`;
}

function triggerText(entry: Entry, { org, bodyMax, files }: PromptParts): string {
  switch (entry.event.type) {
    case 'WorkerHired':
      return 'kind: hire\nYou were just hired. Do the one-time set-up that your Role asks for, then exit. Events will wake you from now on.';
    case 'ActivationRequested':
      return `kind: request\nasked by: ${entry.actor}\nreason:\n${indented(clipped(entry.event.reason, bodyMax))}`;
    default: {
      const view = toView(entry);
      return view ? eventText(view, entry.actor, { org, bodyMax, files }) : 'kind: unknown';
    }
  }
}

type Around = Pick<PromptParts, 'org' | 'bodyMax'> & { files: PromptParts['files'] };

function eventText(view: EventView, actor: string, { org, bodyMax, files }: Around): string {
  const message: Message = view.message ?? {};
  const kind = org.workers.get(actor)?.kind;
  const lines = [`stream: ${view.streamId}`, `event: ${view.id}`, `time: ${view.createdAt}`];
  const header = (name: string, value: string | undefined) => {
    if (value) lines.push(`${name}: ${clipped(oneLine(value), HEADER_MAX)}`);
  };
  header('source', view.source);
  header('source_kind', kind);
  header('from', message.from);
  header('to', message.to?.join(', '));
  header('cc', message.cc?.join(', '));
  header('subject', message.subject);
  header('thread_id', message.thread_id);
  header('in_reply_to', message.in_reply_to);
  header('message_id', message.message_id);
  header('body_content_type', message.body_content_type);
  const attachments = message.attachments ?? [];
  for (const { filename, content_type: type, size_bytes: size, url = '' } of attachments.slice(0, ATTACHMENTS_MAX)) {
    const file = files?.get(`${view.id}/${url}`);
    const facts = [filename, type, size === undefined ? undefined : `${size} bytes`, file && `file ${file}`];
    header('attachment', facts.filter(Boolean).join(', '));
  }
  if (attachments.length > ATTACHMENTS_MAX) lines.push(`and ${attachments.length - ATTACHMENTS_MAX} more attachments`);
  if (view.redacted) lines.push('This Event was redacted; its text is gone.');
  if (view.body) lines.push('body:', indented(cut(view.body, bodyMax, view.id)));
  if (message.extra !== undefined)
    lines.push('extra:', indented(cut(JSON.stringify(message.extra, null, 2), EXTRA_MAX, view.id)));
  return lines.join('\n');
}

const oneLine = (text: string) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

/** Every line gets four spaces, whatever its text takes for a line break. */
const indented = (text: string) =>
  text
    .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)
    .map((line) => `    ${line}`)
    .join('\n');

/** Cuts between characters, and says where the whole is. */
function cut(text: string, most: number, id: string): string {
  const end = endOf(text, most);
  return end === text.length
    ? text
    : `${text.slice(0, end)}\n[cut: ${text.length - end} more characters are in Event ${id}]`;
}

const clipped = (text: string, most: number) =>
  text.length <= most ? text : `${text.slice(0, endOf(text, most))} [cut]`;

/** Where to end a text of so many characters at most, without splitting one. */
function endOf(text: string, most: number): number {
  if (text.length <= most) return text.length;
  return /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
}

/** How the beginning of an activation reads in its transcript. */
export function activationMarker(triggers: readonly Entry[]): string {
  const names = triggers.map(triggerName);
  return `=== activation: ${names.length === 1 ? names[0] : `batch of ${names.length}: ${names.join('; ')}`} ===`;
}

function triggerName({ event, stream, actor }: Entry): string {
  if (event.type === 'EventPublished') return `event ${event.id} on ${stream} from ${actor}`;
  return event.type === 'WorkerHired' ? 'hire' : `request from ${actor}`;
}
