// Every benchmark, one after the other; with --write, docs/performance.md and its chart from what they found.
//   npm run bench [-- --quick] [--write] [NAME …]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Report } from './figures.ts';
import { performanceChart, performanceDocument, performanceSummary } from './performance-document.ts';

const ALL = [
  'ingest',
  'fan-out',
  'reads',
  'wake',
  'dispatch',
  'mcp',
  'sse',
  'loop',
  'ui',
  'chat',
  'memory',
  'recovery',
];

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, big: { type: 'boolean' }, write: { type: 'boolean' } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${ALL.join(', ')}.`);
  process.exit(2);
}
const names = positionals.length > 0 ? positionals : ALL;
const folder = mkdtempSync(join(tmpdir(), 'helix-bench-report-'));
const file = join(folder, 'report.jsonl');
writeFileSync(file, '');

const failed: string[] = [];
for (const name of names) {
  const flags = [...(values.quick ? ['--quick'] : []), ...(values.big ? ['--big'] : [])];
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), ...flags], {
    env: { ...process.env, HELIX_BENCH_REPORT: file },
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) failed.push(name);
}

const reports = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Report);
rmSync(folder, { recursive: true });
if (values.write && failed.length === 0 && positionals.length === 0) {
  const docs = new URL('../docs/', import.meta.url);
  writeFileSync(new URL('performance.md', docs), performanceDocument(reports));
  writeFileSync(new URL('performance.svg', docs), performanceChart(reports));
  const readme = new URL('../README.md', import.meta.url);
  const begins = '<!-- Written by `npm run bench -- --write` -->\n';
  const [before, rest = ''] = readFileSync(readme, 'utf8').split(begins);
  const after = rest.slice(rest.indexOf('<!-- end -->'));
  writeFileSync(readme, `${before}${begins}${performanceSummary(reports)}${after}`);
  console.log('docs/performance.md, docs/performance.svg and the figures of README.md are written.');
}
const missed = reports.flatMap(({ figures }) => figures.filter(({ isMet }) => isMet === false));
console.log(`${reports.length} benchmarks ran; ${missed.length} goals missed.`);
for (const { what, ours, goal } of missed) console.log(`  missed: ${what}: ${ours} (goal ${goal})`);
if (failed.length > 0) {
  console.error(`These did not end well: ${failed.join(', ')}`);
  process.exitCode = 1;
}
