// Three ways to begin: each asks at most three questions and makes a Role, a Position, a Stream and a Worker, by the same tools
// that anybody would use. Whatever would leave through the Stream waits for a person.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { conflict, invalid, notFound } from '../../domain/errors.ts';
import { checkId, OWNER, ROOT_POSITION } from '../../domain/ids.ts';
import type { Org } from '../../domain/org.ts';
import type { Journal } from '../../store/journal.ts';
import type { ToolDoor } from '../../tools/call-tool.ts';
import type { TransportInfo } from '../../tools/define-tool.ts';
import { callAs, type Fields, type Outcome, refusedFlash } from './forms.ts';
import type { Ui } from './kit.ts';
import { workerHref } from './links.ts';
import type { Visit } from './visit.ts';

type Question = { name: string; ask: string; hint: string; value: string; isLong?: true };

type Starter = {
  id: string;
  title: string;
  sentence: string;
  transport: string;
  /** Of the Worker when the question is left empty, and of Role, Position and Stream. */
  noun: string;
  /** Without the last one, which asks for the Worker's name. */
  questions: Question[];
  configOf(answers: Record<string, string>): Record<string, unknown>;
  /** A second Stream of its own, for what it has to say. */
  reports?: string;
};

const STARTERS: Starter[] = [
  {
    id: 'support-mail',
    title: 'Answer support mail',
    sentence: 'A Worker reads what customers write and drafts replies. You release each of them.',
    transport: 'email',
    noun: 'support',
    questions: [
      {
        name: 'about',
        ask: 'What do you offer?',
        hint: 'Two or three sentences it can answer from.',
        value: '',
        isLong: true,
      },
      {
        name: 'alias',
        ask: 'Mail address',
        hint: 'What stands behind the + of your inbound address.',
        value: 'support',
      },
    ],
    configOf: ({ alias }) => ({ alias }),
  },
  {
    id: 'github-triage',
    title: 'Triage a GitHub repository',
    sentence: 'A Worker reads new issues and pull requests and reports those that deserve a look.',
    transport: 'github',
    noun: 'triage',
    questions: [
      { name: 'repository', ask: 'Which repository?', hint: 'As owner/name.', value: '' },
      {
        name: 'about',
        ask: 'What matters to you?',
        hint: 'Crashes first, say, or whatever first-time contributors send.',
        value: '',
        isLong: true,
      },
    ],
    configOf: ({ repository }) => ({ repo: repository, events: ['issues', 'pull_request'] }),
    reports: 'triage-reports',
  },
  {
    id: 'webhook-watcher',
    title: 'Watch a webhook',
    sentence: 'A Worker looks at what a program sends and tells you when it matters.',
    transport: 'webhook',
    noun: 'watch',
    questions: [
      {
        name: 'about',
        ask: 'What will arrive?',
        hint: 'Alerts of a monitor, orders of a shop …',
        value: '',
        isLong: true,
      },
      {
        name: 'when',
        ask: 'When shall it tell you?',
        hint: 'Only when the same check fails twice in a row …',
        value: '',
        isLong: true,
      },
    ],
    configOf: () => ({}),
  },
];

const WORKER: Omit<Question, 'value'> = { name: 'worker', ask: 'Name of the Worker', hint: 'A short given name.' };
const NAMES: Record<string, string> = { 'support-mail': 'sam', 'github-triage': 'toni', 'webhook-watcher': 'wanda' };
const TOOLS = ['create_role', 'create_position', 'create_stream', 'hire_worker'];

export type StarterDeps = {
  journal: Pick<Journal, 'org'>;
  door: ToolDoor;
  transportInfos: ReadonlyMap<string, TransportInfo>;
};

/** What the page offers; empty for those who lack the tools. */
export function startersFor({ transportInfos }: Pick<StarterDeps, 'transportInfos'>, visit: Visit) {
  if (!TOOLS.every((tool) => visit.holds(tool))) return [];
  return STARTERS.map(({ id, title, sentence, transport, questions }) => ({
    id,
    title,
    sentence,
    questions: [...questions, { ...WORKER, value: NAMES[id] ?? '' }],
    lacks: transportInfos.has(transport) ? '' : `This version has no ${transport} transport.`,
  }));
}

export function starterForms(ui: Ui, deps: StarterDeps): void {
  ui.form('/starters/:id', async (visit, fields) => {
    const starter = STARTERS.find(({ id }) => id === visit.param('id'));
    if (!starter) throw notFound('There is no such beginning.');
    return apply(deps, visit, starter, fields);
  });
}

type Step = { tool: string; args: Record<string, unknown>; undo?: [tool: string, args: Record<string, unknown>] };

async function apply({ journal, door }: StarterDeps, visit: Visit, starter: Starter, fields: Fields): Promise<Outcome> {
  const { steps, workerId, streamId } = plan(journal.org, starter, fields);
  const made: Step[] = [];
  for (const step of steps) {
    const outcome = await callAs(door, visit, step.tool, step.args);
    if (outcome.kind === 'ok') {
      made.unshift(step);
      continue;
    }
    // All or nothing, so that it can be tried again.
    for (const { undo } of made) if (undo) await callAs(door, visit, ...undo);
    return { to: '/ui/org#start', flash: refusedFlash(outcome.message, fields) };
  }
  const held = 'What it wants to send outside waits until you release it.';
  return {
    to: workerHref(workerId),
    flash: { kind: 'done', text: `${workerId} is hired and listens to ${streamId}. ${held}` },
  };
}

function plan(org: Org, starter: Starter, fields: Fields): { steps: Step[]; workerId: string; streamId: string } {
  const answers: Record<string, string> = {};
  for (const { name, ask } of starter.questions) {
    answers[name] = fields.get(name).trim();
    if (answers[name] === '') throw invalid(`Please answer: ${ask}`);
  }
  const name = fields.get('worker').trim().toLowerCase().replace(/^w-/, '') || (NAMES[starter.id] ?? 'ann');
  const workerId = `w-${name}`;
  checkId('w', workerId);
  // Before anything is made: the id of a Stream is never given twice, not even when it is unmade at once.
  if (org.workers.has(workerId)) throw conflict(`Worker ${workerId} already exists; pick another name.`);
  const { noun } = starter;
  const id = (prefix: string, base = noun) => free(`${prefix}-${base}`, (each) => isTaken(org, each));
  const [roleId, positionId, streamId] = [id('r'), id('p'), id('s')];
  const reports = starter.reports === undefined ? undefined : id('s', starter.reports);
  const content = filled(starter.id, {
    ...answers,
    stream: streamId,
    reports: reports ?? '',
    owner: OWNER,
    organisation: 'this organisation',
  });
  const streamName = free(capitalised(noun), (each) => org.streamNames.has(each));
  const transport = { kind: starter.transport, config: starter.configOf(answers) };
  const steps: Step[] = [
    { tool: 'create_role', args: { id: roleId, content }, undo: ['delete_role', { roleId }] },
    {
      tool: 'create_position',
      args: { id: positionId, roleId, parentId: ROOT_POSITION },
      undo: ['delete_position', { positionId }],
    },
    {
      tool: 'create_stream',
      args: { id: streamId, name: streamName, description: starter.title, transport, hold: true },
      undo: ['delete_stream', { streamId }],
    },
    ...(reports === undefined ? [] : [reportStep(org, reports)]),
    {
      tool: 'hire_worker',
      args: {
        id: workerId,
        positionId,
        kind: 'ai',
        identityContent: `# ${capitalised(name)}\n\nCalm, exact, brief.\n`,
        streams: [streamId],
      },
    },
  ];
  return { steps, workerId, streamId };
}

function reportStep(org: Org, streamId: string): Step {
  const name = free('Triage reports', (each) => org.streamNames.has(each));
  return {
    tool: 'create_stream',
    args: { id: streamId, name, description: 'What deserves a look.' },
    undo: ['delete_stream', { streamId }],
  };
}

const isTaken = (org: Org, id: string): boolean =>
  org.roles.has(id) || org.positions.has(id) || org.streams.has(id) || org.workers.has(id);

function free(wanted: string, taken: (id: string) => boolean): string {
  for (let n = 1; ; n++) {
    const id = n === 1 ? wanted : `${wanted}-${n}`;
    if (!taken(id)) return id;
  }
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const folder = fileURLToPath(new URL('../../../templates/starters/', import.meta.url));

/** An answer is one paragraph of the Role, so that it cannot become a heading of it. */
function filled(id: string, values: Record<string, string>): string {
  return readFileSync(`${folder}${id}.md`, 'utf8').replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
    (values[name] ?? '').replace(/\s+/g, ' '),
  );
}
