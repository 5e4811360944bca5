// Credentials of Workers. Operational: never journaled. Only hashes are stored.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { notFound } from '../domain/errors.ts';
import type { Db } from './database.ts';
import { isUnavailable } from './disk-errors.ts';
import { and, asc, eq, isNull, type SQL, sql } from './drizzle.ts';
import { tokens } from './schema.ts';

export type TokenKind = (typeof tokens.$inferSelect)['kind'];
export type TokenRow = typeof tokens.$inferSelect;

/** What a credential says: who calls, and in whose name when the owner acts as another Worker. */
export type Identity = { workerId: string; tokenId: string; kind: TokenKind; onBehalfOf?: string };

export type NewToken = {
  workerId: string;
  label: string;
  kind?: TokenKind;
  /** Milliseconds until it ends; without it, it lasts until it is revoked. */
  lifetimeMs?: number;
  onBehalfOf?: string;
};

export type Tokens = {
  /** The token itself is returned once and kept nowhere. */
  create(token: NewToken): { id: string; token: string; expiresAt: string | null };
  /** Who holds this token, or undefined when it is unknown, expired or revoked. */
  verify(token: string, kind: TokenKind): Identity | undefined;
  /** Milliseconds until a token ends by itself; Infinity when it does not. */
  remainingMs(id: string): number;
  list(): TokenRow[];
  /** @throws OrgError not_found */
  revoke(id: string): void;
  /** Lets a credential that was not revoked last so long from now, also when it has just ended. @returns whether it holds */
  extend(id: string, lifetimeMs: number): boolean;
  /** Ends every credential of a Worker. */
  revokeAll(workerId: string): void;
  /** Forgets credentials that ended before the given time. */
  prune(before: string): number;
};

/** Last use is recorded this coarsely, so that a busy client does not write with every call. */
const LAST_USED_STEP_MS = 60_000;
const BYTES = 32;

export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A token's text: recognisable by secret scanners, 256 random bits. */
export const newToken = (): string => `hxo_${randomBytes(BYTES).toString('base64url')}`;

export function createTokens({ orm }: Db, now: () => Date = () => new Date()): Tokens {
  const byHash = orm
    .select()
    .from(tokens)
    .where(eq(tokens.hash, sql.placeholder('hash')))
    .prepare();
  const end = (where: SQL | undefined) => orm.update(tokens).set({ revokedAt: now().toISOString() }).where(where).run();
  /** Reading must go on while the disk is full. */
  const noteUse = (id: string, at: Date) => {
    try {
      orm.update(tokens).set({ lastUsedAt: at.toISOString() }).where(eq(tokens.id, id)).run();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  };
  return {
    create({ workerId, label, kind = 'token', lifetimeMs, onBehalfOf }) {
      const token = newToken();
      const at = now();
      const expiresAt = lifetimeMs === undefined ? null : new Date(at.getTime() + lifetimeMs).toISOString();
      const id = `t-${randomUUID()}`;
      orm
        .insert(tokens)
        .values({
          id,
          worker: workerId,
          hash: hashToken(token),
          label,
          kind,
          onBehalfOf: onBehalfOf ?? null,
          createdAt: at.toISOString(),
          expiresAt,
        })
        .run();
      return { id, token, expiresAt };
    },
    verify(token, kind) {
      const row = byHash.get({ hash: hashToken(token) });
      const at = now();
      if (!row || row.kind !== kind || row.revokedAt !== null) return undefined;
      if (row.expiresAt !== null && row.expiresAt <= at.toISOString()) return undefined;
      if (row.lastUsedAt === null || at.getTime() - Date.parse(row.lastUsedAt) > LAST_USED_STEP_MS) {
        noteUse(row.id, at);
      }
      return {
        workerId: row.worker,
        tokenId: row.id,
        kind: row.kind,
        ...(row.onBehalfOf ? { onBehalfOf: row.onBehalfOf } : {}),
      };
    },
    remainingMs(id) {
      const row = orm.select().from(tokens).where(eq(tokens.id, id)).get();
      if (!row) return 0;
      return row.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(row.expiresAt) - now().getTime();
    },
    list: () => orm.select().from(tokens).orderBy(asc(tokens.createdAt)).all(),
    revoke(id) {
      const row = orm.select().from(tokens).where(eq(tokens.id, id)).get();
      if (!row) throw notFound(`No token ${id}; see \`helix-org token list\`. token "${id}": record not found`);
      if (row.revokedAt === null) end(eq(tokens.id, id));
    },
    extend(id, lifetimeMs) {
      const expiresAt = new Date(now().getTime() + lifetimeMs).toISOString();
      const isStanding = and(eq(tokens.id, id), isNull(tokens.revokedAt));
      return orm.update(tokens).set({ expiresAt }).where(isStanding).run().changes > 0;
    },
    revokeAll: (workerId) => void end(and(eq(tokens.worker, workerId), isNull(tokens.revokedAt))),
    prune: (before) =>
      orm.delete(tokens).where(sql`coalesce(${tokens.revokedAt}, ${tokens.expiresAt}) < ${before}`).run().changes,
  };
}
