import { conflict } from '../domain/errors.ts';
import { ROOT_POSITION } from '../domain/ids.ts';
import type { Where } from './org-folder-read.ts';
import type { Planning, Trial } from './org-plan.ts';

/** Told what is being looked at, for refusals that come before a step. */
export type LookAt = (where: Where) => void;

export function* planRoles({ now, wanted }: Planning, leaves: string[]): Iterable<Trial> {
  for (const [roleId, content] of Object.entries(wanted.roles)) {
    const before = now.roles[roleId];
    const where = ['roles', roleId];
    if (before === undefined)
      yield {
        tool: 'create_role',
        args: { id: roleId, content },
        says: `role ${roleId}: new`,
        where,
        command: { type: 'CreateRole', roleId, content },
      };
    else if (before !== content)
      yield {
        tool: 'update_role',
        args: { roleId, content },
        says: `role ${roleId}: text`,
        where,
        command: { type: 'UpdateRole', roleId, content },
      };
  }
  leaves.push(...unnamed(now.roles, wanted.roles, 'role'));
}

/** From the top down: what is above a Position stands where it shall be when the Position is hung below it. */
export function* planPositions({ now, wanted }: Planning, leaves: string[], lookAt: LookAt): Iterable<Trial> {
  const waiting = new Map(Object.entries(wanted.positions));
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, { parent }]) => parent === undefined || !waiting.has(parent));
    if (ready.length === 0) {
      const [positionId = ''] = cycleIn(waiting);
      lookAt(['positions', positionId, 'parent']);
      throw conflict(`These Positions are below each other: ${cycleIn(waiting).join(', ')}.`);
    }
    for (const [positionId, { role, parent }] of ready) {
      waiting.delete(positionId);
      const before = now.positions[positionId];
      if (before && before.role === role && before.parent === parent) continue;
      const where = ['positions', positionId];
      const change = { ...(before?.role === role ? {} : { roleId: role }) };
      const under = parent ?? null;
      if (!before)
        yield {
          tool: 'create_position',
          args: { id: positionId, roleId: role, ...(parent === undefined ? {} : { parentId: parent }) },
          says: `position ${positionId}: new, ${role} below ${parent ?? 'nobody'}`,
          where,
          command: { type: 'CreatePosition', positionId, roleId: role, parentId: under },
        };
      else
        yield {
          tool: 'update_position',
          args: { id: positionId, ...change, ...(before.parent === parent ? {} : { parentId: parent ?? 'none' }) },
          says: `position ${positionId}: ${before.role} below ${before.parent ?? 'nobody'} → ${role} below ${parent ?? 'nobody'}`,
          where,
          command: { type: 'UpdatePosition', positionId, ...change, parentId: under },
        };
    }
  }
  leaves.push(...unnamed(now.positions, wanted.positions, 'position').filter((name) => !name.endsWith(ROOT_POSITION)));
}

/** One way round, among Positions of which each is below another one of them. */
function cycleIn(waiting: Map<string, { parent?: string | undefined }>): string[] {
  const seen: string[] = [];
  let [at = ''] = waiting.keys();
  while (!seen.includes(at)) {
    seen.push(at);
    at = waiting.get(at)?.parent ?? '';
  }
  return seen.slice(seen.indexOf(at));
}

export function unnamed(now: object, wanted: object, noun: string): string[] {
  return Object.keys(now)
    .filter((id) => !Object.hasOwn(wanted, id))
    .map((id) => `${noun} ${id}`);
}
