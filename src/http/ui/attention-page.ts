// /ui/attention: what waits for a person, the most urgent first, each with what can be done about it.
import type { ToolDoor } from '../../tools/call-tool.ts';
import type { Attention, Matter } from './attention.ts';
import { callAs, type Fields, type Outcome } from './forms.ts';
import type { Ui } from './kit.ts';
import { matterRow } from './matter-words.ts';
import { count } from './shown.ts';
import type { Visit } from './visit.ts';

export type AttentionPageDeps = Parameters<typeof matterRow>[0] & {
  door: ToolDoor;
  checkAgent(): Promise<unknown>;
};

/** By urgency. */
const GROUPS: { id: string; name: string; hint: string; kinds: Matter['kind'][] }[] = [
  {
    id: 'stopped',
    name: 'Nothing moves',
    hint: 'Until this is settled, others wait too.',
    kinds: ['org-paused', 'agent', 'stalled', 'sending'],
  },
  {
    id: 'failed',
    name: 'Went wrong',
    hint: 'Later work goes on without it.',
    kinds: ['parked', 'dead', 'unanswered', 'expired'],
  },
  {
    id: 'held',
    name: 'Waits for your word',
    hint: 'Nothing happens with it until somebody decides.',
    kinds: ['event', 'leaving', 'trigger'],
  },
  { id: 'limit', name: 'Over a limit', hint: 'Goes on by itself.', kinds: ['limit', 'paced'] },
  { id: 'paused', name: 'Paused by somebody', hint: 'Waits as long as you like.', kinds: ['worker-paused'] },
];

/** What is settled together: by Stream what was said, by Worker what it should have done. */
const BULKS: Record<string, { kinds: Matter['kind'][]; what: string; acts: { tool: string; label: string }[] }> = {
  events: {
    kinds: ['event', 'leaving'],
    what: 'held',
    acts: [
      { tool: 'release', label: 'Release' },
      { tool: 'discard', label: 'Discard' },
    ],
  },
  dead: {
    kinds: ['dead'],
    what: 'not delivered',
    acts: [
      { tool: 'retry', label: 'Send again' },
      { tool: 'discard', label: 'Discard' },
    ],
  },
  triggers: {
    kinds: ['trigger'],
    what: 'held',
    acts: [
      { tool: 'release', label: 'Release' },
      { tool: 'discard', label: 'Discard' },
    ],
  },
  parked: {
    kinds: ['parked'],
    what: 'parked',
    acts: [
      { tool: 'retry', label: 'Try again' },
      { tool: 'discard', label: 'Discard' },
    ],
  },
  expired: {
    kinds: ['expired'],
    what: 'expired',
    acts: [
      { tool: 'retry', label: 'Show it after all' },
      { tool: 'discard', label: 'Discard' },
    ],
  },
};

const SHOWN_MAX = 100;
/** Tools that run at once for one form. */
const TOGETHER = 20;

export function attentionPages(ui: Ui, deps: AttentionPageDeps, attention: Attention): void {
  ui.page('/attention', async (visit) => {
    // So that an agent that was logged in meanwhile is not shown as logged out.
    await deps.checkAgent();
    const matters = attention.matters(visit);
    const { isMore } = attention.count(visit);
    return {
      title: 'Attention',
      section: 'attention',
      page: 'attention',
      partial: 'attention-list',
      topics: ['attention'],
      data: { groups: GROUPS.flatMap((group) => groupOf(deps, visit, { group, matters })), isMore },
    };
  });

  ui.form('/attention/all', (visit, fields) => settleAll(deps, visit, fields, attention.matters(visit)));
}

function groupOf(
  deps: AttentionPageDeps,
  visit: Visit,
  { group, matters }: { group: (typeof GROUPS)[number]; matters: Matter[] },
) {
  const { id, name, hint, kinds } = group;
  const all = matters.filter(({ kind }) => kinds.includes(kind));
  if (all.length === 0) return [];
  return [
    {
      id,
      name,
      hint,
      count: all.length,
      rows: all.slice(0, SHOWN_MAX).map((matter) => matterRow(deps, visit, matter)),
      more: Math.max(0, all.length - SHOWN_MAX),
      bulks: bulksOf(visit, all),
    },
  ];
}

/** Offered where there is more than one to settle. */
function bulksOf(visit: Visit, matters: Matter[]) {
  const through = Math.max(0, ...matters.map(({ entrySeq }) => entrySeq));
  return Object.entries(BULKS).flatMap(([of, { kinds, what, acts }]) => {
    const together = Map.groupBy(matters, (matter) => (kinds.includes(matter.kind) ? scopeOf(matter) : ''));
    return [...together].flatMap(([scope, all]) => {
      const offered = acts.filter(({ tool }) => visit.holds(tool));
      if (scope === '' || all.length < 2 || offered.length === 0) return [];
      return [{ of, scope, through, acts: offered, words: `${all.length} ${what}`, count: all.length }];
    });
  });
}

/** Stream or Worker; '' for what is settled alone. */
function scopeOf(matter: Matter): string {
  switch (matter.kind) {
    case 'event':
    case 'leaving':
    case 'dead':
      return matter.streamId;
    case 'trigger':
    case 'parked':
    case 'expired':
      return matter.workerId;
    case 'org-paused':
    case 'agent':
    case 'stalled':
    case 'limit':
    case 'sending':
    case 'paced':
    case 'unanswered':
    case 'worker-paused':
      return '';
  }
}

/** Does to each what its own form would do. What came after the page was made, nobody has seen; it stays. */
async function settleAll(deps: AttentionPageDeps, visit: Visit, fields: Fields, matters: Matter[]): Promise<Outcome> {
  const [of, scope, tool] = [fields.get('of'), fields.get('scope'), fields.get('act')];
  const bulk = Object.hasOwn(BULKS, of) ? BULKS[of] : undefined;
  const through = Number(fields.get('through'));
  if (!bulk?.acts.some((act) => act.tool === tool))
    return {
      to: '/ui/attention',
      flash: { kind: 'refused', text: 'This form is out of date; the page was loaded anew.' },
    };
  const meant = matters.filter(
    (matter) => bulk.kinds.includes(matter.kind) && scopeOf(matter) === scope && matter.entrySeq <= through,
  );
  const calls = new Map(
    meant.flatMap((matter) => {
      const action = matterRow(deps, visit, matter).actions.find((each) => 'tool' in each && each.tool === tool);
      return action && 'fields' in action ? [[JSON.stringify(action.fields), Object.fromEntries(action.fields)]] : [];
    }),
  );
  const refusals: string[] = [];
  const all = [...calls.values()];
  for (let done = 0; done < all.length; done += TOGETHER) {
    const outcomes = await Promise.all(
      all.slice(done, done + TOGETHER).map((args) => callAs(deps.door, visit, tool, args)),
    );
    refusals.push(...outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [outcome.message] : [])));
  }
  const said = { release: 'released', discard: 'discarded', retry: 'tried again' }[tool] ?? tool;
  const settled = all.length - refusals.length;
  const done = `${count(settled, 'thing')} of ${scope} ${settled === 1 ? 'was' : 'were'} ${said}.`;
  return {
    to: '/ui/attention',
    flash: refusals[0]
      ? { kind: 'refused', text: `${done} ${refusals.length} refused: ${refusals[0]}` }
      : { kind: 'done', text: done },
  };
}
