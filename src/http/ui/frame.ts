// What stands around every page: where one can go, what needs a person, the switch that stops everybody, and who is signed in.

import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import { roleTitle } from '../../tools/role-text.ts';
import { cookieOf } from '../auth.ts';
import type { Attention } from './attention.ts';
import type { Flash } from './flash.ts';
import type { Visit } from './visit.ts';

/** Every section there is, with the key that goes there after `g`. */
export const SECTIONS = [
  { id: 'chat', name: 'Chat', href: '/ui/', key: 'c' },
  { id: 'org', name: 'Org', href: '/ui/org', key: 'o' },
  { id: 'streams', name: 'Streams', href: '/ui/streams', key: 's' },
  { id: 'activations', name: 'Activations', href: '/ui/activations', key: 'a' },
  { id: 'attention', name: 'Attention', href: '/ui/attention', key: 't' },
  { id: 'journal', name: 'Journal', href: '/ui/journal', key: 'j' },
  { id: 'settings', name: 'Settings', href: '/ui/settings', key: ',' },
] as const;

export type Section = (typeof SECTIONS)[number]['id'];

export const THEME_COOKIE = 'helix_theme';
export type Theme = 'light' | 'dark' | 'auto';

export type FrameDeps = { journal: Pick<Journal, 'org' | 'lastSeq'>; queries: Queries; attention: Attention };

export type FrameOptions = { title: string; section?: Section | undefined; topics: string[]; flashes: Flash[] };

export type FrameState = ReturnType<typeof frameState>;

/** The part of the frame that changes by itself; also answered alone, as a fragment. */
export function frameState({ journal, attention }: FrameDeps, visit: Visit) {
  const { paused } = journal.org;
  const { count, isMore } = attention.count(visit);
  return {
    paused,
    mayToggle: visit.holds(paused ? 'resume_org' : 'pause_org'),
    attention: count,
    attentionText: isMore ? `${count}+` : String(count),
    csrf: visit.csrf,
  };
}

export function frameOf(deps: FrameDeps, visit: Visit, { title, section, topics, flashes }: FrameOptions) {
  const { journal, queries } = deps;
  const path = visit.request.url;
  return {
    ...frameState(deps, visit),
    title,
    path,
    sections: SECTIONS.map((each) => ({ ...each, isCurrent: each.id === section })),
    workerId: visit.workerId,
    seat: seatOf(queries, visit.workerId),
    onBehalfOf: visit.credential.onBehalfOf ?? '',
    theme: themeOf(visit),
    flashes,
    drafts: draftsOf(flashes),
    liveUrl: `/ui/live?${new URLSearchParams({ topics: ['frame', ...topics].join(','), since: String(journal.lastSeq) })}`,
  };
}

/** By form: what was typed into it when it was refused. */
export const draftsOf = (flashes: Flash[]): Record<string, Record<string, string>> =>
  Object.fromEntries(flashes.flatMap(({ draft }) => (draft ? [[draft.form, draft.fields]] : [])));

export function themeOf({ request }: Pick<Visit, 'request'>): Theme {
  const theme = cookieOf(request, THEME_COOKIE);
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

/** What somebody does here, in a word or two. */
function seatOf(queries: Queries, workerId: string): string {
  const [first] = queries.worker(workerId)?.positions ?? [];
  const role = first === undefined ? undefined : queries.role(queries.position(first)?.roleId ?? '');
  return role ? roleTitle(role.content) : '';
}
