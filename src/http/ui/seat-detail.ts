// A Position or a Role, as the org page shows them: the job description with its editor, who sits there, and what can be changed.
import { OWNER_ROLE, ROOT_POSITION } from '../../domain/ids.ts';
import { requirePosition } from '../../domain/position.ts';
import { requireRole } from '../../domain/role.ts';
import type { RoleRow } from '../../store/queries.ts';
import { toolNames } from '../../tools/catalog.ts';
import { roleTitle, toolsOfRole } from '../../tools/role-text.ts';
import { positionHref, roleHref, workerHref } from './links.ts';
import { markdown } from './markdown.ts';
import type { OrgPageDeps } from './org-page.ts';
import { moment } from './shown.ts';
import type { Visit } from './visit.ts';
import { seatOf } from './worker-detail.ts';

/** @throws OrgError not_found */
export function positionDetail(deps: OrgPageDeps, visit: Visit, id: string) {
  const { journal, queries } = deps;
  const { roleId, parentId } = requirePosition(journal.org, id);
  const isRoot = id === ROOT_POSITION;
  const holders = queries.workers().filter(({ positions }) => positions.includes(id));
  const below = queries.positions().filter((position) => position.parentId === id);
  return {
    partial: 'position-detail',
    title: id,
    at: id,
    data: {
      position: {
        id,
        above: parentId === null ? undefined : seatOf(deps, parentId),
        below: below.map((position) => seatOf(deps, position.id)),
        holders: holders.map((worker) => ({ id: worker.id, kind: worker.kind, href: workerHref(worker.id) })),
      },
      ...roleData(deps, visit, roleId),
      back: positionHref(id),
      roles: queries
        .roles()
        .map((role) => ({ id: role.id, title: roleTitle(role.content), isChosen: role.id === roleId })),
      seats: queries
        .positions()
        .map((position) => ({ ...seatOf(deps, position.id), isChosen: position.id === parentId })),
      streams: openStreams(deps, visit),
      may: {
        ...roleRights(visit, roleId),
        hire: visit.holds('hire_worker'),
        add: visit.holds('create_position'),
        addRole: visit.holds('create_role'),
        change: visit.holds('update_position') && !isRoot,
        remove: visit.holds('delete_position') && !isRoot,
        removable: holders.length === 0 && below.length === 0,
      },
    },
  };
}

/** @throws OrgError not_found */
export function roleDetail(deps: OrgPageDeps, visit: Visit, id: string) {
  requireRole(deps.journal.org, id);
  const data = roleData(deps, visit, id);
  return {
    partial: 'role-detail',
    title: data.role.title,
    at: '',
    data: {
      ...data,
      back: roleHref(id),
      may: {
        ...roleRights(visit, id),
        remove: visit.holds('delete_role') && id !== OWNER_ROLE && data.role.seats.length === 0,
      },
    },
  };
}

function roleData(deps: OrgPageDeps, _visit: Visit, id: string) {
  const { queries } = deps;
  const role = queries.role(id) as RoleRow;
  const seats = queries.positions().filter(({ roleId }) => roleId === id);
  return {
    role: {
      id,
      title: roleTitle(role.content),
      content: role.content,
      html: markdown(role.content),
      updated: moment(role.updatedAt),
      seats: seats.map((position) => seatOf(deps, position.id)),
      tools: toolsOfRole(role.content, toolNames),
      href: roleHref(id),
      history: `${roleHref(id)}/history`,
    },
  };
}

const roleRights = (visit: Visit, roleId: string) => ({
  edit: visit.holds('update_role') && (roleId !== OWNER_ROLE || visit.isOwner),
});

function openStreams({ journal }: OrgPageDeps, visit: Visit): string[] {
  return [...journal.org.streams].flatMap(([id, { purpose, deletedAt }]) =>
    purpose === 'open' && deletedAt === null && visit.mayRead(id) ? [id] : [],
  );
}
