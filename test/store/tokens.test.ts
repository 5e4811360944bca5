import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { createTokens, type Tokens } from '../../src/store/tokens.ts';
import { testDirectory } from '../support/org.ts';

let file: string;
let db: ReturnType<typeof openDatabase>;
let tokens: Tokens;
let now: Date;

beforeEach(() => {
  now = new Date('2026-01-01T00:00:00.000Z');
  file = join(testDirectory(), 'org.db');
  db = openDatabase(file);
  tokens = createTokens(db, () => now);
  return () => db.sqlite.close();
});

const later = (ms: number) => {
  now = new Date(now.getTime() + ms);
};

describe('a token', () => {
  test('says who holds it', () => {
    const { id, token, expiresAt } = tokens.create({ workerId: 'w-ada', label: 'laptop' });
    expect(token).toMatch(/^hxo_[A-Za-z0-9_-]{43}$/);
    expect(expiresAt).toBeNull();
    expect(tokens.verify(token, 'token')).toEqual({ workerId: 'w-ada', tokenId: id, kind: 'token' });
  });

  test('says in whose name the owner acts', () => {
    const { token } = tokens.create({ workerId: 'w-ada', label: 'chat', onBehalfOf: 'w-owner' });
    expect(tokens.verify(token, 'token')).toMatchObject({ workerId: 'w-ada', onBehalfOf: 'w-owner' });
  });

  test('of a chat is extended while the chat goes on, also when it has just ended, and never after it was revoked', () => {
    const { id, token } = tokens.create({ workerId: 'w-ada', label: 'chat', kind: 'chat', lifetimeMs: 1_000 });
    expect(tokens.verify(token, 'token')).toBeUndefined();
    later(2_000);
    expect(tokens.verify(token, 'chat')).toBeUndefined();
    expect(tokens.extend(id, 1_000)).toBe(true);
    expect(tokens.verify(token, 'chat')).toMatchObject({ workerId: 'w-ada' });
    tokens.revoke(id);
    expect(tokens.extend(id, 1_000)).toBe(false);
    expect(tokens.verify(token, 'chat')).toBeUndefined();
  });

  test('is stored nowhere', () => {
    const { token } = tokens.create({ workerId: 'w-ada', label: 'laptop' });
    for (const end of ['', '-wal']) expect(readFileSync(`${file}${end}`).includes(token.slice(4))).toBe(false);
    expect(JSON.stringify(tokens.list())).not.toContain(token);
  });

  test('is good for its own kind alone', () => {
    const { token } = tokens.create({ workerId: 'w-ada', label: 'page', kind: 'session' });
    expect(tokens.verify(token, 'session')?.workerId).toBe('w-ada');
    expect([tokens.verify(token, 'token'), tokens.verify(token, 'login')]).toEqual([undefined, undefined]);
  });

  test.each(['', 'hxo_', 'hxo_nonsense', "' OR 1=1 --"])('that is %j is nobody’s', (token) => {
    tokens.create({ workerId: 'w-ada', label: 'laptop' });
    expect(tokens.verify(token, 'token')).toBeUndefined();
  });

  test('with a letter changed is nobody’s', () => {
    const { token } = tokens.create({ workerId: 'w-ada', label: 'laptop' });
    const last = token.endsWith('A') ? 'B' : 'A';
    expect(tokens.verify(`${token.slice(0, -1)}${last}`, 'token')).toBeUndefined();
  });

  test('ends at its time', () => {
    const { token, expiresAt } = tokens.create({ workerId: 'w-ada', label: 'chat', lifetimeMs: 1_000 });
    expect(expiresAt).toBe('2026-01-01T00:00:01.000Z');
    later(999);
    expect(tokens.verify(token, 'token')).toBeDefined();
    later(1);
    expect(tokens.verify(token, 'token')).toBeUndefined();
  });

  test('ends when it is revoked, and keeps the time it first was', () => {
    const { id, token } = tokens.create({ workerId: 'w-ada', label: 'laptop' });
    tokens.revoke(id);
    later(1_000);
    tokens.revoke(id);
    tokens.revokeAll('w-ada');
    expect(tokens.verify(token, 'token')).toBeUndefined();
    expect(tokens.list()).toMatchObject([{ id, revokedAt: '2026-01-01T00:00:00.000Z' }]);
  });

  test('that is not there cannot be revoked', () => {
    expect(() => tokens.revoke('t-none')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

test('all of a Worker’s credentials end together, and nobody else’s', () => {
  const mine = (['token', 'session', 'login'] as const).map((kind) => ({
    kind,
    ...tokens.create({ workerId: 'w-ada', label: 'x', kind }),
  }));
  const other = tokens.create({ workerId: 'w-bob', label: 'x' });
  tokens.revokeAll('w-ada');
  for (const { token, kind } of mine) expect(tokens.verify(token, kind)).toBeUndefined();
  expect(tokens.verify(other.token, 'token')?.workerId).toBe('w-bob');
});

describe('the last use', () => {
  const lastUsed = () => tokens.list()[0]?.lastUsedAt;

  test('is noted once a minute', () => {
    const { token } = tokens.create({ workerId: 'w-ada', label: 'x' });
    expect(lastUsed()).toBeNull();
    tokens.verify(token, 'token');
    expect(lastUsed()).toBe('2026-01-01T00:00:00.000Z');
    later(60_000);
    tokens.verify(token, 'token');
    expect(lastUsed()).toBe('2026-01-01T00:00:00.000Z');
    later(1);
    tokens.verify(token, 'token');
    expect(lastUsed()).toBe('2026-01-01T00:01:00.001Z');
  });

  test('may go unnoted: a full disk keeps nobody out', () => {
    const { token } = tokens.create({ workerId: 'w-ada', label: 'x' });
    db.sqlite.exec("CREATE TEMP TRIGGER full BEFORE UPDATE ON main.tokens BEGIN SELECT RAISE(ABORT, 'x'); END");
    expect(() => tokens.verify(token, 'token')).toThrow('x');
    db.sqlite.exec('DROP TRIGGER full');
    db.sqlite.pragma('query_only = ON');
    expect(tokens.verify(token, 'token')?.workerId).toBe('w-ada');
    db.sqlite.pragma('query_only = OFF');
  });
});

test('what ended long ago is forgotten', () => {
  const ended = tokens.create({ workerId: 'w-ada', label: 'ended', lifetimeMs: 1 });
  const revoked = tokens.create({ workerId: 'w-ada', label: 'revoked' });
  tokens.revoke(revoked.id);
  later(60_000);
  const lasting = tokens.create({ workerId: 'w-ada', label: 'lasting' });
  const recent = tokens.create({ workerId: 'w-ada', label: 'recent', lifetimeMs: 1 });
  expect(tokens.prune('2026-01-01T00:00:30.000Z')).toBe(2);
  expect(tokens.list().map(({ id }) => id)).toEqual(expect.arrayContaining([lasting.id, recent.id]));
  expect(tokens.list()).toHaveLength(2);
  expect(tokens.verify(ended.token, 'token')).toBeUndefined();
});
