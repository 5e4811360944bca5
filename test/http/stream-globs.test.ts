import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toStreamMatcher } from '../../src/http/stream-globs.ts';

test.each([
  [undefined, 's-a', true],
  ['', 's-a', true],
  ['s-a', 's-a', true],
  ['s-a', 's-ab', false],
  ['s-a', 'xs-a', false],
  ['s-*', 's-a', true],
  ['s-*', 's-', true],
  ['s-*', 'r-a', false],
  ['*', 's-a', true],
  ['*-mail', 's-mail', true],
  ['*-mail', 's-mail-in', false],
  ['s-*-in', 's-mail-in', true],
  ['s-*-in', 's-in', false],
  ['s-a*a', 's-a', false],
  ['s-a*a', 's-aa', true],
  ['s-x, s-a', 's-a', true],
  ['s-x,s-y', 's-a', false],
  ['s-.', 's-a', false],
  ['s-[a]', 's-a', false],
  [',', 's-a', false],
])('%j on %s: %s', (patterns, streamId, matches) => {
  expect(toStreamMatcher(patterns)(streamId)).toBe(matches);
});

test('says the same as the regular expression it stands for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(glob, text, (pattern, streamId) => {
      expect(toStreamMatcher(pattern)(streamId)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(streamId));
    }),
    { numRuns: 2_000 },
  );
});

test('no pattern is slow', () => {
  const matches = toStreamMatcher(`s-${'*a'.repeat(200)}*b`);
  const started = performance.now();
  for (let n = 0; n < 1_000; n++) matches(`s-${'a'.repeat(200)}`);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(() => toStreamMatcher('x'.repeat(501))).toThrow('streams is longer than 500 characters');
});
