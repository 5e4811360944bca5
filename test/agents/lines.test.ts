import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineCutter } from '../../src/agents/lines.ts';

function cut(chunks: Buffer[], lineMax = 1_000): string[] {
  const cutter = createLineCutter(lineMax);
  return [...chunks.flatMap((chunk) => [...cutter.push(chunk)]), ...cutter.end()];
}

const bytes = (text: string) => Buffer.from(text);

test('gives each line without its end, and the last one also without a newline', () => {
  expect(cut([bytes('one\ntwo\r\n\nthr'), bytes('ee\nfour')])).toEqual(['one', 'two', '', 'three', 'four']);
  expect(cut([bytes('one\n')])).toEqual(['one']);
  expect(cut([])).toEqual([]);
});

test('gives the same lines wherever the chunks end', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '🙂', '\n', ' '), maxLength: 60 });
  const property = fc.property(text, fc.array(fc.nat(200)), (whole, ends) => {
    const all = bytes(whole);
    const places = [0, ...ends.filter((end) => end < all.length).sort((a, b) => a - b), all.length];
    const chunks = places.slice(1).map((end, index) => all.subarray(places[index], end));
    expect(cut(chunks).join('\n')).toBe(whole.replace(/\n$/, ''));
  });
  fc.assert(property);
});

test('replaces bytes that are not UTF-8', () => {
  expect(cut([Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xe6, 0xbc])])).toEqual(['a\ufffdb', '\ufffd']);
});

test('cuts a long line into pieces that hold whole characters', () => {
  expect(cut([bytes('abcdefgh\nij')], 3)).toEqual(['abc', 'def', 'gh', 'ij']);
  expect(cut([bytes('ab🙂🙂c\n')], 3)).toEqual(['ab', '🙂', '🙂c']);
});

test('holds no more than a line, however much comes without a newline', () => {
  const cutter = createLineCutter(10);
  const pieces = Array.from({ length: 100 }, () => [...cutter.push(bytes('x'.repeat(25)))]).flat();
  expect(pieces.join('').length).toBeGreaterThanOrEqual(2_490);
  expect([...cutter.end()].join('').length).toBeLessThanOrEqual(10);
});
