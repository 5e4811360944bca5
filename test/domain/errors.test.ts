import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { missing, nearest } from '../../src/domain/errors.ts';

describe('the nearest known word', () => {
  test.each([
    ['w-pryia', ['w-owner', 'w-priya'], 'w-priya'],
    ['s-generl', ['s-general', 's-genera'], 's-general'],
    ['publsh', ['publish', 'public'], 'publish'],
    ['w-zed', ['w-owner', 'w-priya'], undefined],
    ['x', ['y'], undefined],
    ['', ['a'], undefined],
    ['s-reports-2026', ['s-reports-2025', 's-reports-1999'], 's-reports-2025'],
    ['role', [], undefined],
  ])('to %s among %j is %s', (word, known, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });

  test('is at most a third of the letters away, and at most three', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.array(fc.string({ maxLength: 12 })), (word, known) => {
        const found = nearest(word, known);
        if (found !== undefined)
          expect(Math.abs(found.length - word.length)).toBeLessThanOrEqual(Math.min(3, word.length / 3));
        if (word.length >= 3) expect(nearest(word, [...known, word])).toBe(word);
      }),
    );
  });
});

describe('a refusal for an unknown id', () => {
  test('names the near miss and ends in the words Roles match on', () => {
    expect(missing('worker', 'w-pria', ['w-priya'], 'list_workers')).toMatchObject({
      code: 'not_found',
      message: 'No Worker w-pria; did you mean w-priya? worker "w-pria": record not found',
    });
  });

  test('names where to look when nothing is near', () => {
    expect(missing('stream', 's-zzz', ['s-general'], 'list_streams').message).toBe(
      'No Stream s-zzz; see list_streams. stream "s-zzz": record not found',
    );
  });
});
