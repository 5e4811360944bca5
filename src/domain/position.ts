import { conflict, missing } from './errors.ts';
import { checkId, ROOT_POSITION } from './ids.ts';
import type { DomainEvent, Org } from './org.ts';
import { requireRole } from './role.ts';

export type PositionCommand =
  | { type: 'CreatePosition'; positionId: string; roleId: string; parentId: string | null }
  | { type: 'UpdatePosition'; positionId: string; roleId?: string; parentId?: string | null }
  | { type: 'DeletePosition'; positionId: string };

export type PositionEvent =
  | { type: 'PositionCreated'; positionId: string; roleId: string; parentId: string | null }
  | { type: 'PositionUpdated'; positionId: string; roleId: string; parentId: string | null }
  | { type: 'PositionDeleted'; positionId: string };

type CreatePosition = Extract<PositionCommand, { type: 'CreatePosition' }>;
type UpdatePosition = Extract<PositionCommand, { type: 'UpdatePosition' }>;

export function createPosition(org: Org, { positionId, roleId, parentId }: CreatePosition): DomainEvent[] {
  checkId('p', positionId);
  if (org.positions.has(positionId)) throw conflict(`Position ${positionId} already exists; pick another id.`);
  requireRole(org, roleId);
  if (parentId !== null) requireParent(org, positionId, parentId);
  return [{ type: 'PositionCreated', positionId, roleId, parentId }];
}

export function updatePosition(org: Org, command: UpdatePosition): DomainEvent[] {
  const { positionId } = command;
  const position = requirePosition(org, positionId);
  const roleId = command.roleId ?? position.roleId;
  const parentId = command.parentId === undefined ? position.parentId : command.parentId;
  if (positionId === ROOT_POSITION) throw conflict(`${ROOT_POSITION} cannot be changed: it is the owner's seat.`);
  requireRole(org, roleId);
  if (parentId !== null) requireParent(org, positionId, parentId);
  if (roleId === position.roleId && parentId === position.parentId) return [];
  return [{ type: 'PositionUpdated', positionId, roleId, parentId }];
}

export function deletePosition(org: Org, positionId: string): DomainEvent[] {
  requirePosition(org, positionId);
  if (positionId === ROOT_POSITION) throw conflict(`${ROOT_POSITION} cannot be deleted: it is the owner's seat.`);
  const holders = [...org.workers].filter(([, worker]) => worker.positions.includes(positionId)).map(([id]) => id);
  if (holders.length > 0)
    throw conflict(`Position ${positionId} is held by ${holders.join(', ')}; fire or move them first.`);
  const children = [...org.positions].filter(([, position]) => position.parentId === positionId).map(([id]) => id);
  if (children.length > 0)
    throw conflict(`Position ${positionId} has ${children.join(', ')} below it; move or delete those first.`);
  return [{ type: 'PositionDeleted', positionId }];
}

export function requirePosition(org: Org, positionId: string): { roleId: string; parentId: string | null } {
  const position = org.positions.get(positionId);
  if (!position) throw missing('position', positionId, org.positions.keys(), 'list_positions');
  return position;
}

function requireParent(org: Org, positionId: string, parentId: string): void {
  if (parentId === positionId) throw conflict('position cannot be its own parent');
  if (!org.positions.has(parentId)) throw missing('parent', parentId, org.positions.keys(), 'list_positions');
  for (let above: string | null | undefined = parentId; above; above = org.positions.get(above)?.parentId) {
    if (above === positionId)
      throw conflict(`Position ${parentId} is below ${positionId}; it cannot also be its parent.`);
  }
}
