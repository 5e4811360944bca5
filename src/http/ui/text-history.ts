// Earlier versions of a Role or of who a Worker is, from the journal: what changed in each, and the way back to it.
import { conflict, notFound } from '../../domain/errors.ts';
import type { Entry } from '../../store/entries.ts';
import type { Queries } from '../../store/queries.ts';
import type { ToolDoor } from '../../tools/call-tool.ts';
import { callAs, refusedFlash } from './forms.ts';
import type { Ui, View } from './kit.ts';
import { roleHref, workerHref } from './links.ts';
import { moment } from './shown.ts';
import type { Visit } from './visit.ts';

export type TextHistoryDeps = { queries: Pick<Queries, 'journalPage' | 'entry'>; door: ToolDoor };

type Kind = { types: string[]; href(id: string): string; tool: string; idField: string };

const KINDS = {
  roles: { types: ['RoleCreated', 'RoleUpdated'], href: roleHref, tool: 'update_role', idField: 'roleId' },
  workers: {
    types: ['WorkerHired', 'IdentityUpdated'],
    href: workerHref,
    tool: 'update_identity',
    idField: 'workerId',
  },
} satisfies Record<string, Kind>;

const VERSIONS_SHOWN = 100;
/** Two texts that differ this much are shown one after the other. */
const DIFF_MS = 50;
/** Lines around a change that are shown with it. */
const CONTEXT = 2;

export function textHistoryPages(ui: Ui, deps: TextHistoryDeps): void {
  for (const name of ['roles', 'workers'] as const) {
    const kind: Kind = KINDS[name];
    ui.page(`/org/${name}/:id/history`, (visit) => historyView(deps, kind, visit));
    ui.form(`/org/${name}/:id/restore`, async (visit, fields) => {
      const id = visit.param('id');
      const entry = deps.queries.entry(Number(fields.get('seq')));
      const text = entry?.subject === id ? textOf(entry) : undefined;
      if (text === undefined) throw notFound('There is no such version.');
      const outcome = await callAs(deps.door, visit, kind.tool, { [kind.idField]: id, content: text });
      const to = kind.href(id);
      if (outcome.kind === 'refused') return { to, flash: refusedFlash(outcome.message, fields) };
      return {
        to,
        flash: { kind: 'done', text: `Restored as it was at entry #${entry?.seq}; it is the newest version now.` },
      };
    });
  }
}

async function historyView({ queries }: TextHistoryDeps, { types, href, tool }: Kind, visit: Visit): Promise<View> {
  const id = visit.param('id');
  const { entries } = queries.journalPage({ types, about: id, limit: VERSIONS_SHOWN });
  if (entries.length === 0) throw notFound(`There is nothing of ${id} in the journal.`);
  const chosen = Number(visit.param('v')) || entries[0]?.seq;
  const index = entries.findIndex(({ seq }) => seq === chosen);
  if (index < 0) throw conflict('That version is not one of these.');
  const text = textOf(entries[index]) ?? '';
  const before = entries[index + 1];
  return {
    title: `History of ${id}`,
    section: 'org',
    page: 'text-history',
    partial: 'text-history',
    data: {
      id,
      href: href(id),
      versions: entries.map(({ seq, at, actor, via }, position) => ({
        seq,
        ...moment(at),
        actor,
        via,
        isChosen: seq === chosen,
        isNewest: position === 0,
        href: `${href(id)}/history?v=${seq}`,
      })),
      chosen: { seq: chosen, isNewest: index === 0 },
      change: before ? await changeBetween(textOf(before) ?? '', text) : [{ kind: 'added', text }],
      isFirst: before === undefined,
      restore: `${href(id)}/restore`,
      mayRestore: visit.holds(tool) && index > 0,
    },
  };
}

function textOf(entry: Entry | undefined): string | undefined {
  switch (entry?.event.type) {
    case 'RoleCreated':
    case 'RoleUpdated':
    case 'IdentityUpdated':
      return entry.event.content;
    case 'WorkerHired':
      return entry.event.identity;
    default:
      return undefined;
  }
}

type Change = { kind: 'added' | 'removed' | 'same' | 'skipped'; text: string };

export async function changeBetween(before: string, after: string): Promise<Change[]> {
  // Loaded with the first history that is looked at.
  const { diffLines } = await import('diff');
  const ended = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);
  const changes = diffLines(ended(before), ended(after), { timeout: DIFF_MS });
  if (!changes)
    return [
      { kind: 'removed', text: before },
      { kind: 'added', text: after },
    ];
  return changes.flatMap(({ added, removed, value }, index): Change[] => {
    if (added || removed) return [{ kind: added ? 'added' : 'removed', text: value }];
    return shortened(value, index === 0, index === changes.length - 1);
  });
}

/** What did not change, but for the lines next to a change. */
function shortened(text: string, isFirst: boolean, isLast: boolean): Change[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const head = isFirst ? 0 : CONTEXT;
  const tail = isLast ? 0 : CONTEXT;
  if (lines.length <= head + tail + 1) return [{ kind: 'same', text }];
  const part = (from: number, to: number): Change[] =>
    from < to ? [{ kind: 'same', text: lines.slice(from, to).join('\n') }] : [];
  const skipped = lines.length - head - tail;
  return [
    ...part(0, head),
    { kind: 'skipped', text: `${skipped} lines unchanged` },
    ...part(lines.length - tail, lines.length),
  ];
}
