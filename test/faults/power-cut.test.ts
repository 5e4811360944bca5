import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { type DropUnsynced, imageAfterPowerCut, numbersFrom, shimEnvironment } from './power-cut.ts';
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

type Cut = { durability: 'full' | 'normal'; acks: number; padding?: string; dropUnsynced?: DropUnsynced };

/** Runs a daemon under load, cuts the power, and counts what of the acknowledged is not on the disk. */
async function lostInCut(name: string, { durability, acks, padding = '', dropUnsynced = 'all' }: Cut): Promise<number> {
  const dataDir = join(work, name);
  const log = join(work, `${name}.log`);
  mkdirSync(dataDir);
  const env = shimEnvironment(dataDir, log);
  if (typeof env === 'string') throw new Error(env);
  const daemon = await serve(dataDir, { args: ['--durability', durability], env });
  await foundOrg(daemon);
  const acknowledged: Acknowledged[] = [];
  const posting = load(daemon.url, CONNECTIONS, acknowledged, { prefix: name, padding });
  await until('enough posts are acknowledged', () => acknowledged.length >= acks);
  await daemon.kill();
  await posting.stop();
  const image = join(work, `${name}-image`);
  imageAfterPowerCut(log, null, image, { dropUnsynced });
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
      expect(await lostInCut(`full-${cut}`, { durability: 'full', acks })).toBe(0);
    }
  },
);

it.skipIf(cannotRun)('loses nothing while the write-ahead log is written back', { timeout: 300_000 }, async () => {
  const random = numbersFrom(seed + 1);
  // A commit of ten pages: the log is written back every hundred of them, and begun anew every three hundred.
  const padding = ' and more'.repeat(5_000);
  for (let cut = 0; cut < CUTS; cut++) {
    const acks = MOST_ACKS + Math.floor(random() * MOST_ACKS);
    const dropUnsynced: DropUnsynced = cut % 2 === 0 ? 'all' : { seed: seed + cut };
    expect(await lostInCut(`large-${cut}`, { durability: 'full', acks, padding, dropUnsynced })).toBe(0);
    // Without that it would still be as small as it was founded.
    expect(statSync(join(work, `large-${cut}-image`, 'org.db')).size).toBeGreaterThan(4 * 1_048_576);
  }
});

it.skipIf(cannotRun)('does lose with --durability normal, so the test has teeth', { timeout: 300_000 }, async () => {
  let lost = 0;
  for (let cut = 0; lost === 0 && cut < CUTS; cut++)
    lost = await lostInCut(`normal-${cut}`, { durability: 'normal', acks: MOST_ACKS });
  console.log(`${lost} acknowledged Events lost with --durability normal`);
  expect(lost).toBeGreaterThan(0);
});
