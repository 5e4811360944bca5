import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activationStreamId,
  checkId,
  dmStreamId,
  eventId,
  type IdPrefix,
  isSafeId,
  seqOfEventId,
} from '../../src/domain/ids.ts';
import type { Command } from '../../src/domain/org.ts';
import { founded, given } from '../support/given.ts';

const HOSTILE = [
  '',
  '-',
  '.',
  '..',
  '../../etc/passwd',
  'a',
  'X-a',
  'x-',
  'x--a',
  'x-_a',
  'x-A',
  'x-é',
  'x-a b',
  'x-a/b',
  'x-a\\b',
  'x-../../a',
  'x-a\0',
  'x-a\n',
  '\nx-a',
  'x-a.md',
  'x-a%2f',
  'x-a:b',
  'x-ａ',
  ' x-a',
  `x-${'a'.repeat(47)}`,
  'x-toString()',
];

const passes = (prefix: IdPrefix, id: string) => {
  try {
    checkId(prefix, id);
    return true;
  } catch {
    return false;
  }
};

describe('an id supplied by a caller', () => {
  test.each(['w-a', 'w-0', 'w-priya', 'w-a-b_c-', `w-${'a'.repeat(46)}`])('may be %s', (id) => {
    expect(passes('w', id)).toBe(true);
  });

  test('needs the prefix of its noun', () => {
    for (const prefix of ['r', 'p', 'w', 's'] as const) {
      expect(['r-a', 'p-a', 'w-a', 's-a', 'e-a'].filter((id) => passes(prefix, id))).toEqual([`${prefix}-a`]);
    }
  });

  test('is refused with what is allowed', () => {
    expect(() => checkId('p', 'Nope')).toThrow(
      '"Nope" is not a Position id: use p- followed by 1 to 46 lower-case letters, digits, dashes or underscores, beginning with a letter or digit.',
    );
  });

  test('is not repeated whole in the refusal when it is endless', () => {
    expect(() => checkId('w', 'x'.repeat(1_000_000))).toThrow(/^.{1,300}$/s);
  });

  test('is one name in any path and in any URL', () => {
    fc.assert(
      fc.property(fc.oneof(fc.stringMatching(/^w-[a-z0-9_\-./\\%]{0,10}$/), fc.string({ unit: 'binary' })), (text) => {
        fc.pre(passes('w', text));
        expect(posix.join('/base', text)).toBe(`/base/${text}`);
        expect(win32.join('C:\\base', text)).toBe(`C:\\base\\${text}`);
        expect(encodeURIComponent(text)).toBe(text);
        expect(isSafeId(text)).toBe(true);
      }),
    );
  });

  const makers: Record<IdPrefix, (id: string) => Command> = {
    r: (roleId) => ({ type: 'CreateRole', roleId, content: 'x' }),
    p: (positionId) => ({ type: 'CreatePosition', positionId, roleId: 'r-owner', parentId: null }),
    w: (workerId) => ({
      type: 'HireWorker',
      workerId,
      positionId: 'p-root',
      kind: 'ai',
      identity: 'x',
      grants: [],
      streams: [],
    }),
    g: (grantId) => ({ type: 'GrantTool', grantId, workerId: 'w-owner', tool: 'agent:Bash' }),
    s: (streamId) => ({
      type: 'CreateStream',
      streamId,
      name: 'x',
      description: '',
      transport: { kind: 'local', config: {} },
      private: false,
    }),
  };

  test.each(Object.entries(makers))(
    'of kind %s is refused wherever one is made when it could leave a path',
    (prefix, make) => {
      for (const hostile of HOSTILE) {
        given(founded)
          .when('w-owner', make(hostile.replace('x', prefix)))
          .refused('invalid', /is not a \w+ id/);
      }
    },
  );
});

describe('a derived id', () => {
  test('of a transcript or a conversation of the longest ids is still safe', () => {
    const longest = `w-${'a'.repeat(46)}`;
    expect(isSafeId(activationStreamId(longest))).toBe(true);
    expect(isSafeId(`${dmStreamId(longest, longest)}-99`)).toBe(true);
  });

  test('of a conversation does not depend on who began it', () => {
    expect(dmStreamId('w-b', 'w-a')).toBe('s-dm-w-a-w-b');
    expect(dmStreamId('w-a', 'w-b')).toBe('s-dm-w-a-w-b');
  });

  test.each(HOSTILE)('is never %j', (hostile) => {
    expect(isSafeId(hostile.replace('x', 's')) && hostile.length < 48).toBe(false);
  });
});

describe("an Event's id", () => {
  const seqs = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  const randoms = fc.uint8Array({ minLength: 10, maxLength: 10 });

  test('carries its seq, whatever the seq and the randomness', () => {
    fc.assert(
      fc.property(seqs, randoms, (seq, random) => {
        const id = eventId(seq, random);
        expect(id).toMatch(/^e-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(seqOfEventId(id)).toBe(seq);
      }),
    );
  });

  test('keeps at least 64 of the random bits apart', () => {
    const zeros = new Uint8Array(10);
    let told = 0;
    for (let bit = 0; bit < 80; bit++) {
      const random = new Uint8Array(10);
      random[bit >> 3] = 1 << (bit & 7);
      if (eventId(1, random) !== eventId(1, zeros)) told += 1;
    }
    expect(told).toBeGreaterThanOrEqual(64);
  });

  test('sorts as its seq does', () => {
    fc.assert(
      fc.property(seqs, seqs, randoms, (a, b, random) => {
        expect(Math.sign(eventId(a, random).localeCompare(eventId(b, random)))).toBe(Math.sign(a - b));
      }),
    );
  });

  test.each([
    '',
    'e-1',
    'e-00000000-0001-4000-8000-000000000000',
    'E-00000000-0001-8000-8000-000000000000',
    'e-00000000-0001-8000-c000-000000000000',
    'e-00000000-0001-8000-8000-000000000000\n',
    '00000000-0001-8000-8000-000000000000',
  ])('is not %j', (id) => {
    expect(seqOfEventId(id)).toBeUndefined();
  });
});
