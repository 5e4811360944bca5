// The chart: who sits where and what they are doing, as numbers for the SVG and as an outline for small screens.
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import { roleTitle } from '../../tools/role-text.ts';
import { positionHref, workerHref } from './links.ts';
import { type Box, layOut } from './org-tree.ts';
import { clip, count } from './shown.ts';

export type ChartDeps = {
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'positions' | 'roles' | 'workers'>;
  stateOf(workerId: string): string;
  waitingOf(workerId: string): number;
};

export type ChartOptions = {
  /** Positions whose seats below are put away; undefined lets the size of the org decide. */
  folded?: string[] | undefined;
  /** Only what fits it, and the way up from there. */
  search?: string;
};

type Badge = { id: string; label: string; href: string; kind: string; state: string; stateText: string };

type Seat = {
  id: string;
  parentId: string | null;
  title: string;
  /** Everybody who sits there. */
  holders: Badge[];
  /** Of them, those that are shown. */
  badges: Badge[];
  /** Workers beyond those shown. */
  more: number;
  below: Seat[];
};

const BADGES_MAX = 3;
const LABEL_MAX = 14;
const TITLE_MAX = 27;
const ID_MAX = 27;
const HEAD_HEIGHT = 46;
const BADGE_HEIGHT = 22;
/** In an org with more seats than this, only the upper ones are shown at first. */
const UNFOLDED_MAX = 60;
const MARGIN = 8;

export function chartOf(deps: ChartDeps, { folded: given, search = '' }: ChartOptions) {
  const all = seatsOf(deps);
  const roots = treeOf(all);
  const wanted = search.trim().toLowerCase();
  const shown = wanted === '' ? roots : roots.flatMap((root) => fitting(root, wanted));
  const folded = new Set(wanted === '' ? (given ?? foldedBySize(roots, all.length)) : []);
  const visible: Seat[] = [];
  const boxOf = (seat: Seat): Box => {
    visible.push(seat);
    return { id: seat.id, height: heightOf(seat, folded), below: folded.has(seat.id) ? [] : seat.below.map(boxOf) };
  };
  const { width, height, seats, lines } = layOut(shown.map(boxOf));
  const byId = new Map(visible.map((seat) => [seat.id, seat]));
  const foldHref = (id: string) => {
    const next = new Set(folded);
    if (!next.delete(id)) next.add(id);
    return [...next].join(',') || 'none';
  };
  return {
    width: width + 2 * MARGIN,
    height: height + 2 * MARGIN,
    lines,
    seats: seats.flatMap((placed) => {
      const seat = byId.get(placed.id);
      return seat
        ? [{ ...drawn(seat, folded), ...placed, x: placed.x + MARGIN, y: placed.y + MARGIN, fold: foldHref(seat.id) }]
        : [];
    }),
    outline: shown.map((seat) => outlined(seat, folded, foldHref)),
    total: all.length,
    found: visible.length,
    search,
    fold: [...folded].join(','),
  };
}

export type Chart = ReturnType<typeof chartOf>;

function seatsOf({ journal, queries, stateOf, waitingOf }: ChartDeps): Seat[] {
  const titles = new Map(queries.roles().map(({ id, content }) => [id, roleTitle(content)]));
  const holders = new Map<string, Badge[]>();
  for (const { id, kind, positions } of queries.workers()) {
    const state = kind === 'human' ? 'person' : stateOf(id);
    const waiting = ['waiting', 'held', 'paused'].includes(state) ? waitingOf(id) : 0;
    const badge = {
      id,
      label: clip(id, LABEL_MAX),
      href: workerHref(id),
      kind,
      state,
      stateText: waiting > 0 ? `${waiting} ${state === 'waiting' ? 'waiting' : 'held back'}` : state,
    };
    for (const position of positions) holders.set(position, [...(holders.get(position) ?? []), badge]);
  }
  const known = journal.org.positions;
  return queries.positions().map(({ id, roleId, parentId }) => {
    const seated = holders.get(id) ?? [];
    return {
      id,
      // A superior that is gone leaves its seats standing on their own.
      parentId: parentId !== null && known.has(parentId) ? parentId : null,
      title: titles.get(roleId) ?? roleId,
      holders: seated,
      badges: seated.slice(0, BADGES_MAX),
      more: Math.max(0, seated.length - BADGES_MAX),
      below: [],
    };
  });
}

function treeOf(seats: Seat[]): Seat[] {
  const byId = new Map(seats.map((seat) => [seat.id, seat]));
  const roots: Seat[] = [];
  for (const seat of seats) {
    const above = seat.parentId === null ? undefined : byId.get(seat.parentId);
    if (above) above.below.push(seat);
    else roots.push(seat);
  }
  return roots;
}

/** The seat with those below it that fit; everything below a seat that fits itself. Workers who fit are among those shown. */
function fitting(seat: Seat, wanted: string): Seat[] {
  const fits = (text: string) => text.toLowerCase().includes(wanted);
  const found = seat.holders.filter(({ id }) => fits(id));
  if (found.length > 0) {
    const others = seat.holders.filter((badge) => !found.includes(badge));
    return [{ ...seat, badges: [...found, ...others].slice(0, BADGES_MAX) }];
  }
  if (fits(seat.id) || fits(seat.title)) return [seat];
  const below = seat.below.flatMap((each) => fitting(each, wanted));
  return below.length > 0 ? [{ ...seat, below }] : [];
}

function foldedBySize(roots: Seat[], total: number): string[] {
  if (total <= UNFOLDED_MAX) return [];
  return roots.flatMap((root) => root.below.filter(({ below }) => below.length > 0).map(({ id }) => id));
}

const rowsOf = ({ badges, more }: Seat): number => Math.max(1, badges.length) + (more > 0 ? 1 : 0);

const heightOf = (seat: Seat, folded: Set<string>): number =>
  HEAD_HEIGHT + rowsOf(seat) * BADGE_HEIGHT + (folded.has(seat.id) && seat.below.length > 0 ? BADGE_HEIGHT : 4);

function drawn(seat: Seat, folded: Set<string>) {
  const isFolded = folded.has(seat.id) && seat.below.length > 0;
  return {
    href: positionHref(seat.id),
    title: clip(seat.title, TITLE_MAX),
    label: clip(seat.id, ID_MAX),
    name: `${seat.title}, ${seat.id}`,
    badges: seat.badges.map((badge, index) => ({ ...badge, y: HEAD_HEIGHT + index * BADGE_HEIGHT })),
    isVacant: seat.badges.length === 0,
    more: seat.more,
    moreY: HEAD_HEIGHT + seat.badges.length * BADGE_HEIGHT,
    hasBelow: seat.below.length > 0,
    isFolded,
    below: isFolded ? belowText(seat) : '',
    belowY: HEAD_HEIGHT + rowsOf(seat) * BADGE_HEIGHT,
  };
}

function belowText(seat: Seat): string {
  const all = everybodyBelow(seat);
  const running = all.flatMap(({ holders }) => holders).filter(({ state }) => state === 'running').length;
  return `${count(all.length, 'seat')} below${running > 0 ? ` · ${running} running` : ''}`;
}

const everybodyBelow = (seat: Seat): Seat[] => seat.below.flatMap((each) => [each, ...everybodyBelow(each)]);

type Outline = {
  id: string;
  href: string;
  title: string;
  badges: Badge[];
  more: number;
  isVacant: boolean;
  fold: string;
  isFolded: boolean;
  hasBelow: boolean;
  belowText: string;
  below: Outline[];
};

function outlined(seat: Seat, folded: Set<string>, foldHref: (id: string) => string): Outline {
  const isFolded = folded.has(seat.id) && seat.below.length > 0;
  return {
    id: seat.id,
    href: positionHref(seat.id),
    title: seat.title,
    badges: seat.badges,
    more: seat.more,
    isVacant: seat.badges.length === 0,
    fold: foldHref(seat.id),
    isFolded,
    hasBelow: seat.below.length > 0,
    belowText: isFolded ? belowText(seat) : '',
    below: isFolded ? [] : seat.below.map((each) => outlined(each, folded, foldHref)),
  };
}
