// Every regular expression of ours against texts made to keep it busy. Most of them see text from outside, and nobody has
// to know which: none may take more than in proportion to the text's length. What counts is processor time, of texts so
// long that a pattern which grows with the square would need a thousand times what is allowed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

type Pattern = { file: string; source: string; flags: string };

/** Literals: what follows an operator, a bracket, a comma or `return`, up to the next slash outside a class. */
const LITERAL = /(?:[=(,:?!&|[{;>]|\breturn|^)\s*\/((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/gm;

function patternsIn(folder: string): Pattern[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ts$/.test(name))
    .flatMap((file) => {
      const code = readFileSync(join(folder, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, '');
      return [...code.matchAll(LITERAL)].flatMap(([, source = '', flags = '']) => {
        try {
          new RegExp(source, flags);
          return [{ file, source, flags }];
        } catch {
          return [];
        }
      });
    });
}

/** Runs in a thread of its own, so that a pattern that never ends can be ended. */
const BUSY = `
const { parentPort, workerData } = require('node:worker_threads');
const { source, flags, texts } = workerData;
const pattern = new RegExp(source, flags.replace('y', ''));
const costOf = (text) => {
  const before = process.cpuUsage();
  pattern.lastIndex = 0;
  if (flags.includes('g')) text.replace(pattern, '');
  else pattern.exec(text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
let fine = true;
let worst = { ms: 0, text: '' };
search: for (const { prefix, pump, suffix } of texts) {
  for (const length of [32, 32000]) {
    const text = prefix + pump.repeat(Math.ceil(length / pump.length)) + suffix;
    const ms = costOf(text);
    if (ms > worst.ms) worst = { ms, text: JSON.stringify([prefix, pump, suffix]) + ' x ' + length };
    if (ms > 150 && costOf(text) > 150) { fine = false; break search; }
  }
}
parentPort.postMessage({ ...worst, fine });
`;

type Verdict = { ms: number; text: string; fine?: boolean };

const COMMON = [' ', 'a', '0', '\n', '\t', '-', '.', '\u2028', 'é'];

/** Runs of what the pattern itself names, which is what it may stumble over. */
function textsFor({ source }: Pattern): { prefix: string; pump: string; suffix: string }[] {
  const named = [...source.replace(/\\[dDwWsSbBpPuxkc]/g, '')].filter((char) => !/[\\^$?*+|]/.test(char));
  const chars = [...new Set([...named, ...COMMON])].slice(0, 40);
  const words = source.match(/[a-z<>="'-]{2,}/gi) ?? [];
  const pumps = [
    ...chars,
    ...words,
    ...named.slice(0, 12).flatMap((one) => [' ', 'a', '0', ...named.slice(0, 6)].map((other) => one + other)),
  ];
  const prefixes = ['', ...new Set([...named.slice(0, 2), ...words.slice(0, 1)])];
  return [...new Set(pumps)].flatMap((pump) =>
    prefixes.flatMap((prefix) => [
      { prefix, pump, suffix: '\u0000' },
      { prefix, pump, suffix: '' },
    ]),
  );
}

function judge(pattern: Pattern): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(BUSY, { eval: true, workerData: { ...pattern, texts: textsFor(pattern) } });
    const limit = setTimeout(() => {
      resolve({ ms: Number.POSITIVE_INFINITY, text: 'it never ends' });
      void worker.terminate();
    }, 60_000);
    worker.once('message', (verdict: Verdict) => {
      clearTimeout(limit);
      resolve(verdict);
    });
    worker.once('error', reject);
  });
}

test('the judge finds what it looks for', async () => {
  const of = (source: string, flags = '') => judge({ file: '', source, flags });
  expect((await of('(a+)+$')).fine).not.toBe(true);
  expect((await of('\\s+$')).fine).toBe(false);
  expect((await of('^[a-z]+$')).fine).toBe(true);
}, 120_000);

test('no pattern of ours takes more than in proportion to the text', async () => {
  const patterns = patternsIn(SOURCE);
  expect(patterns.length).toBeGreaterThan(150);
  const unique = [...new Map(patterns.map((pattern) => [`${pattern.source}/${pattern.flags}`, pattern])).values()];
  const slow: string[] = [];
  for (const pattern of unique) {
    const name = `${pattern.file} /${pattern.source}/${pattern.flags}`;
    const { fine, ms, text } = await judge(pattern);
    if (fine !== true) slow.push(`${name}: ${Math.round(ms)} ms for ${text}`);
  }
  expect(slow).toEqual([]);
}, 600_000);
