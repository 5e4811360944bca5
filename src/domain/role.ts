import { conflict, forbidden, invalid, missing } from './errors.ts';
import { checkId, OWNER, OWNER_ROLE } from './ids.ts';
import type { Context, DomainEvent, Org } from './org.ts';

export type RoleCommand =
  | { type: 'CreateRole'; roleId: string; content: string }
  | { type: 'UpdateRole'; roleId: string; content: string }
  | { type: 'DeleteRole'; roleId: string };

export type RoleEvent =
  | { type: 'RoleCreated'; roleId: string; content: string }
  | { type: 'RoleUpdated'; roleId: string; content: string }
  | { type: 'RoleDeleted'; roleId: string };

/** Largest Role or identity text, in UTF-16 units: it goes into every prompt. */
export const TEXT_MAX = 262_144;

export function createRole(org: Org, { roleId, content }: { roleId: string; content: string }): DomainEvent[] {
  checkId('r', roleId);
  checkText('role content', content);
  if (org.roles.has(roleId))
    throw conflict(`Role ${roleId} already exists; use update_role to change it or pick another id.`);
  return [{ type: 'RoleCreated', roleId, content }];
}

export function updateRole(
  org: Org,
  { roleId, content }: { roleId: string; content: string },
  { actor }: Context,
): DomainEvent[] {
  requireRole(org, roleId);
  if (roleId === OWNER_ROLE && actor !== OWNER) throw forbidden(`Only the owner rewrites ${OWNER_ROLE}.`);
  checkText('role content', content);
  return [{ type: 'RoleUpdated', roleId, content }];
}

export function deleteRole(org: Org, roleId: string): DomainEvent[] {
  requireRole(org, roleId);
  if (roleId === OWNER_ROLE) throw conflict(`${OWNER_ROLE} cannot be deleted: it is the owner's.`);
  const users = [...org.positions].filter(([, position]) => position.roleId === roleId).map(([id]) => id);
  if (users.length > 0)
    throw conflict(`Role ${roleId} is used by ${users.join(', ')}; delete or change those Positions first.`);
  return [{ type: 'RoleDeleted', roleId }];
}

export function requireRole(org: Org, roleId: string): void {
  if (!org.roles.has(roleId)) throw missing('role', roleId, org.roles, 'list_roles');
}

/** @throws OrgError invalid when the text is blank or longer than {@link TEXT_MAX}. */
export function checkText(what: string, text: string): void {
  if (text.trim() === '') throw invalid(`${what} is empty`);
  if (text.length > TEXT_MAX) throw invalid(`${what} is ${text.length} characters long; at most ${TEXT_MAX} are kept.`);
}
