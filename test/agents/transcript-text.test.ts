import { expect, test } from 'vitest';
import { segmentOf } from '../../src/agents/transcript-text.ts';

const textOf = (line: string) => (segmentOf(line) as { extra: { text: string } }).extra.text;

test('collapses white space and drops NUL', () => {
  expect(segmentOf('  a\t b\r\u00a0c\0d ')).toEqual({ body: 'a b cd' });
  expect(segmentOf('a  b', 'stderr: ')).toEqual({ body: 'stderr: a b' });
});

test('makes no segment of a blank line', () => {
  expect(segmentOf('')).toBeUndefined();
  expect(segmentOf(' \t\0\r')).toBeUndefined();
});

test('shows 500 characters and keeps the text of a longer line', () => {
  expect(segmentOf('x'.repeat(500))).toEqual({ body: 'x'.repeat(500) });
  expect(segmentOf('x'.repeat(501))).toEqual({ body: `${'x'.repeat(500)}…`, extra: { text: 'x'.repeat(501) } });
  expect(textOf(`a  b${'x'.repeat(500)}`)).toMatch(/^a {2}bx/);
});

test('counts characters, not halves of them', () => {
  expect(segmentOf('🙂'.repeat(500))?.body).toBe('🙂'.repeat(500));
  expect(segmentOf('🙂'.repeat(501))?.body).toBe(`${'🙂'.repeat(500)}…`);
});

test.each(['x', '"', '漢', '🙂', '\u0001', '🙂x'])(
  'keeps of a very long line of %j what fits into 16 KiB of JSON',
  (unit) => {
    const text = textOf(unit.repeat(60_000));
    const size = Buffer.byteLength(JSON.stringify({ text }));
    expect(size).toBeLessThanOrEqual(16_384);
    expect(size).toBeGreaterThan(15_000);
    expect(text).toMatch(/…$/);
    expect(text.isWellFormed()).toBe(true);
  },
);
