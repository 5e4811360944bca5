// The official conformance suite against our own endpoint, once for each era of the protocol.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Conformance, openConformance } from './fixtures.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const suite = join(here, 'node_modules/@modelcontextprotocol/conformance');
const yaml = (path: string) => parse(readFileSync(path, 'utf8'));
const expectedFailures: Record<string, string[]> = yaml(join(here, 'expected-failures.yaml'));

type Check = { id: string; status: string; errorMessage?: string };

describe.each(['2025-11-25', '2026-07-28'])('revision %s', (revision) => {
  const required: string[] = yaml(join(suite, 'requirements', `${revision}.yaml`)).server;
  const results = mkdtempSync(join(tmpdir(), 'helix-conformance-'));
  let conformance: Conformance;
  let said = '';

  beforeAll(async () => {
    conformance = await openConformance();
    said = await runSuite(['--url', conformance.url, '--requirements', revision, '--output-dir', results]);
  }, 300_000);
  afterAll(async () => {
    rmSync(results, { recursive: true });
    await conformance.close();
  });

  /** Of the last run of a scenario; each is written to a folder of its own. */
  function failuresOf(scenario: string): Check[] {
    const folder = readdirSync(results).find((name) => new RegExp(`^server-${scenario}-\\d{4}-`).test(name));
    expect(folder, `${scenario} was not run:\n${said.slice(-2_000)}`).toBeDefined();
    const checks = JSON.parse(readFileSync(join(results, folder ?? '', 'checks.json'), 'utf8')) as Check[];
    expect(checks.length).toBeGreaterThan(0);
    return checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  }

  test.each(required.filter((scenario) => !expectedFailures[revision]?.includes(scenario)))('%s', (scenario) => {
    expect(failuresOf(scenario)).toEqual([]);
  });

  const expected = expectedFailures[revision] ?? [];
  test.each(expected)('%s fails, as is explained in expected-failures.yaml', (scenario) => {
    expect(required).toContain(scenario);
    expect(failuresOf(scenario)).not.toEqual([]);
  });
});

/** Runs the suite to its end, whatever it finds. @returns what it said */
function runSuite(args: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(suite, 'dist/index.js'), 'server', ...args], { stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  return new Promise((resolve) => child.once('close', () => resolve(said)));
}
