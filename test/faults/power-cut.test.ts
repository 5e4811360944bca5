import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { imageAfterPowerCut, numbersFrom, shimEnvironment } from './power-cut.ts';
import { type Acknowledged, foundOrg, killLeftovers, load, seed, serve, temporaryDirectory, until } from './serve.ts';

const CUTS = 5;
const CONNECTIONS = 8;
const FEWEST_ACKS = 40;
const MOST_ACKS = 400;
const work = temporaryDirectory('power-cut');
const probe = shimEnvironment(work, join(work, 'probe.log'));
const cannotRun = typeof probe === 'string' ? probe : undefined;

afterAll(() => {
  killLeftovers();
  rmSync(work, { recursive: true, force: true });
});

/** Runs a daemon under load, cuts the power, and counts what of the acknowledged is not on the disk. */
async function lostInCut(name: string, durability: 'full' | 'normal', acks: number): Promise<number> {
  const dataDir = join(work, name);
  const log = join(work, `${name}.log`);
  mkdirSync(dataDir);
  const env = shimEnvironment(dataDir, log);
  if (typeof env === 'string') throw new Error(env);
  const daemon = await serve(dataDir, { args: ['--durability', durability], env });
  await foundOrg(daemon);
  const acknowledged: Acknowledged[] = [];
  const posting = load(daemon.url, CONNECTIONS, acknowledged, { prefix: name });
  await until('enough posts are acknowledged', () => acknowledged.length >= acks);
  await daemon.kill();
  await posting.stop();
  const image = join(work, `${name}-image`);
  imageAfterPowerCut(log, null, image, { dropUnsynced: 'all' });
  const { lost, problems, twice } = judge(image, acknowledged);
  expect({ problems, twice }).toEqual({ problems: [], twice: [] });
  return lost.length;
}

it.skipIf(cannotRun)(
  `loses nothing acknowledged in a power cut${cannotRun ? ` (cannot run here: ${cannotRun})` : ''}`,
  { timeout: 300_000 },
  async () => {
    const random = numbersFrom(seed);
    console.log(`seed ${seed} (HELIX_SEED)`);
    for (let cut = 0; cut < CUTS; cut++) {
      const acks = FEWEST_ACKS + Math.floor(random() * (MOST_ACKS - FEWEST_ACKS));
      expect(await lostInCut(`full-${cut}`, 'full', acks)).toBe(0);
    }
  },
);

it.skipIf(cannotRun)('does lose with --durability normal, so the test has teeth', { timeout: 300_000 }, async () => {
  let lost = 0;
  for (let cut = 0; lost === 0 && cut < CUTS; cut++) lost = await lostInCut(`normal-${cut}`, 'normal', MOST_ACKS);
  console.log(`${lost} acknowledged Events lost with --durability normal`);
  expect(lost).toBeGreaterThan(0);
});
