// The org's beginning, and what its owner always has: every tool of the catalog, a folder, a token.
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { OWNER, OWNER_ROLE, ROOT_POSITION } from '../domain/ids.ts';
import type { Tokens } from '../store/tokens.ts';
import { toolNames } from '../tools/catalog.ts';
import { type Core, promptText } from './core.ts';

/** Where the owner sits, as `bootstrap` prints it. */
export type OwnerSeat = { environmentPath: string; positionId: string; roleId: string; workerId: string };

const IDENTITY = '# The owner\n\nThe person who owns this organisation.\n';

/** Label of the token that the command line uses; nobody else's token may have it. */
export const OWNER_TOKEN_LABEL = 'owner';

/** Founds an empty org; in another, gives the owner the tools that came since. @returns whether it was empty */
export async function ensureOwner({ journal, folders }: Core): Promise<boolean> {
  const isNew = journal.org.workers.size === 0;
  const newGrantId = () => `g-owner-${randomUUID()}`;
  if (isNew) {
    const grants = [...toolNames].map((tool) => ({ grantId: newGrantId(), tool }));
    await journal.commit('system', {
      type: 'FoundOrg',
      ownerRole: promptText('owner-role.md'),
      ownerIdentity: IDENTITY,
      grants,
    });
  }
  const lacking = [...toolNames].filter((tool) => !journal.org.grants.get(OWNER)?.has(tool));
  await Promise.all(
    lacking.map((tool) =>
      journal.commit('system', { type: 'GrantTool', grantId: newGrantId(), workerId: OWNER, tool }),
    ),
  );
  folders.prepare(OWNER);
  return isNew;
}

export const ownerSeat = ({ folders }: Pick<Core, 'folders'>): OwnerSeat => ({
  environmentPath: folders.pathOf(OWNER),
  positionId: ROOT_POSITION,
  roleId: OWNER_ROLE,
  workerId: OWNER,
});

/** The token in the file, made anew when the file is gone or its token no longer holds; earlier ones end then. */
export function ensureOwnerToken(tokens: Tokens, file: string): string {
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (known !== '' && tokens.verify(known, 'token')?.workerId === OWNER) {
    chmodSync(file, 0o600);
    return known;
  }
  for (const { id, label, kind, worker } of tokens.list()) {
    if (label === OWNER_TOKEN_LABEL && kind === 'token' && worker === OWNER) tokens.revoke(id);
  }
  const { token } = tokens.create({ workerId: OWNER, label: OWNER_TOKEN_LABEL });
  writeFileSync(`${file}.new`, `${token}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return token;
}
