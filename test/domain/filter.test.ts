import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFilter, like, passes } from '../../src/domain/filter.ts';

describe('a pattern', () => {
  test.each([
    ['opened', 'opened', true],
    ['opened', 'Opened', true],
    ['opened', 'reopened', false],
    ['*opened', 'reopened', true],
    ['open*', 'opened', true],
    ['o*e*d', 'opened', true],
    ['o*x*d', 'opened', false],
    ['*', '', true],
    ['', '', true],
    ['', 'x', false],
    ['a*a', 'a', false],
    ['ab*ba', 'aba', false],
    ['*ab', 'abab', true],
    ['a.c', 'abc', false],
    ['[a-z]', 'a', false],
    ['*@example.com', 'eve@example.com', true],
    ['*@example.com', 'eve@example.com.evil.org', false],
  ])('%s against %s: %s', (pattern, value, expected) => {
    expect(like(pattern, value)).toBe(expected);
  });

  test('means what a regular expression would', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const values = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, values, (pattern, value) => {
        expect(like(pattern, value)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(value));
      }),
    );
  });

  test('made to be slow is not', () => {
    const started = performance.now();
    like('*a'.repeat(100), `${'a'.repeat(99)}${'b'.repeat(1_000_000)}`);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('a filter', () => {
  const message = {
    from: 'eve@example.com',
    subject: 'Invoice 7 is late',
    body: 'Please pay.',
    extra: {
      event: 'issues',
      action: 'labeled',
      label: { name: 'bug' },
      issue: { labels: [{ name: 'urgent' }, { name: 'bug' }] },
    },
  };

  test.each([
    [{}, true],
    [{ from: ['*@example.com'] }, true],
    [{ from: ['example.com'] }, false],
    [{ subject: ['invoice'] }, true],
    [{ subject: ['receipt', 'late'] }, true],
    [{ body: ['PAY'] }, true],
    [{ event: ['issues'], action: ['opened', 'labeled'] }, true],
    [{ event: ['issues'], action: ['opened'] }, false],
    [{ label: ['urgent'] }, true],
    [{ label: ['wontfix'] }, false],
  ])('%j passes: %s', (filter, expected) => {
    expect(passes(filter, message)).toBe(expected);
  });

  test('that names a field keeps out Messages without it', () => {
    for (const field of ['event', 'action', 'label'] as const) expect(passes({ [field]: ['*'] }, {})).toBe(false);
  });

  test('never throws, whatever a Message brings along', () => {
    const every = { event: ['a'], action: ['a'], label: ['a'], from: ['a'], subject: ['a'], body: ['a'] };
    fc.assert(
      fc.property(fc.anything(), (extra) => {
        for (const field of Object.keys(every)) passes({ [field]: ['a'] }, { extra });
        passes(every, { extra: { issue: extra, pull_request: extra, label: extra, labels: extra } });
      }),
    );
  });

  test.each([
    [{ sender: ['x'] }, /^filter: unknown field "sender" \(valid: event, action, label, from, subject, body\)$/],
    [{ from: [] }, /^filter\.from: give 1 to 20 patterns$/],
    [{ from: Array.from({ length: 21 }, () => 'x') }, /give 1 to 20 patterns$/],
    [{ from: [''] }, /^filter\.from: a pattern has 1 to 200 characters$/],
    [{ from: ['x'.repeat(201)] }, /1 to 200 characters$/],
  ])('%j is refused', (filter, sentence) => {
    expect(() => checkFilter(filter as unknown as Record<string, string[]>)).toThrow(sentence);
  });
});
