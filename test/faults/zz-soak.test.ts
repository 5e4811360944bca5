import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type DropUnsynced, imageAfterPowerCut, numbersFrom, shimEnvironment } from './power-cut.ts';

const SLOW = { timeout: 900_000 };
const CUTS = 100;
const MOST_ACKS = 600;
const SEEDS_PER_CUT = 2;
const SEED = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 32));
const work = mkdtempSync(join(tmpdir(), 'helix-power-cut-'));
const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');

// One row per transaction, acknowledged after its commit. Few pages per checkpoint, so that cuts fall into checkpoints
// and into logs that have started over; bodies of many sizes, so that commits take one page or several.
const insertRows = `
const { writeSync } = require('node:fs');
const [, , sqlite, file, synchronous] = process.argv;
const db = require(sqlite)(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = ' + synchronous);
db.pragma('wal_autocheckpoint = 100');
db.exec('CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
db.exec('CREATE INDEX IF NOT EXISTS by_body ON rows (substr(body, -20))');
const insert = db.prepare('INSERT INTO rows (id, body) VALUES (?, ?)');
const last = db.prepare('SELECT coalesce(max(id), 0) AS id FROM rows').get().id;
for (let id = last + 1; ; id++) {
  insert.run(id, String(id).repeat((id * 7919) % (id % 10 ? 60 : 1500)));
  writeSync(1, id + '\\n');
}`;
const bodyOf = (id: number) => String(id).repeat((id * 7919) % (id % 10 ? 60 : 1500));

// What Node itself does to files, each in a way of its own.
const useFiles = `
const fs = require('node:fs');
const [, , sqlite, dir] = process.argv;
process.chdir(dir);
fs.writeFileSync('whole', 'a'.repeat(3000));
fs.writeFileSync('secret', 'key', { mode: 0o600 });
fs.appendFileSync('whole', 'tail');
fs.truncateSync('whole', 1700);
fs.appendFileSync('old', ' and new');
const fd = fs.openSync('parts', 'w+');
fs.writevSync(fd, [Buffer.from('one '), Buffer.from('two ')]);
fs.writevSync(fd, [Buffer.from('FAR'), Buffer.from('AWAY')], 5000);
fs.writeSync(fd, 'three');
fs.fsyncSync(fd);
fs.ftruncateSync(fd, 6000);
fs.closeSync(fd);
fs.copyFileSync('whole', 'copied');
fs.linkSync('whole', 'linked');
fs.writeFileSync('old.next', 'replaces');
fs.renameSync('old.next', 'replaced');
fs.mkdirSync('a/b/c', { recursive: true });
fs.mkdirSync('empty');
fs.writeFileSync('a/b/c/deep', 'deep');
fs.renameSync('a/b', 'moved');
fs.mkdirSync('gone/far', { recursive: true });
fs.writeFileSync('gone/far/away', 'x');
fs.rmSync('gone', { recursive: true });
fs.unlinkSync('removed');
const db = require(sqlite)('rows.db');
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY); INSERT INTO rows VALUES (1)');
(async () => {
  await Promise.all([...Array(40).keys()].map((n) => fs.promises.writeFile('file-' + n, String(n).repeat(9999))));
  await fs.promises.appendFile('file-1', 'more');
  fs.writeSync(1, 'done\\n');
  setInterval(() => {}, 1000);
})();`;

function folder(name: string): string {
  const path = join(work, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function script(name: string, text: string): string {
  writeFileSync(join(work, name), text);
  return join(work, name);
}

/** Runs a script until it has said this many lines, kills it, and returns all lines that it managed to say. */
async function killAfter(lines: number, args: string[], env: Record<string, string>): Promise<string[]> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let count = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    count += text.split('\n').length - 1;
    if (count >= lines) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  if (count < lines) throw new Error(`it ended by itself after ${count} of ${lines} lines`);
  return said.slice(0, said.lastIndexOf('\n')).split('\n');
}

/** What of the acknowledged rows an image lacks, and what SQLite says about it. Opening repairs the image. */
function look(image: string, acked: number[]): { lost: number[]; integrity: unknown } {
  const db = new Database(join(image, 'rows.db'));
  try {
    const integrity = db.pragma('integrity_check', { simple: true });
    const hasTable = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'rows'").get() !== undefined;
    const rows = hasTable ? db.prepare<[], { id: number; body: string }>('SELECT id, body FROM rows').all() : [];
    const bodies = new Map(rows.map(({ id, body }) => [id, body]));
    return { lost: acked.filter((id) => bodies.get(id) !== bodyOf(id)), integrity };
  } finally {
    db.close();
  }
}

type Cut = { before: string; at: string; synchronous: string; random: () => number };

/** One run that ends in a power cut; the disk is looked at as it may be, and left in one of these states at `after`. */
async function cutOnce({ before, at, synchronous, random }: Cut, earlier: number[]) {
  const [dir, log, after] = [`${at}-dir`, `${at}-log`, `${at}-after`];
  cpSync(before, dir, { recursive: true });
  const args = [script('insert-rows.cjs', insertRows), sqlite, join(dir, 'rows.db'), synchronous];
  const acked = (await killAfter(1 + Math.floor(random() * MOST_ACKS), args, traced(dir, log))).map(Number);
  const seeds = Array.from({ length: SEEDS_PER_CUT }, () => Math.floor(random() * 2 ** 32));
  const drops: DropUnsynced[] = ['all', ...seeds.map((seed) => ({ seed }))];
  const looks = drops.map((dropUnsynced, number) => {
    const { unsynced } = imageAfterPowerCut(log, before, `${at}-image-${number}`, { dropUnsynced });
    if (number === SEEDS_PER_CUT) cpSync(`${at}-image-${number}`, after, { recursive: true });
    return { unsynced, ...look(`${at}-image-${number}`, [...earlier, ...acked]) };
  });
  const gone = new Set(looks.at(-1)!.lost);
  const kept = [...earlier, ...acked].filter((id) => !gone.has(id));
  return { acked, looks, kept, after };
}

/** Cuts the power again and again; each run goes on with what the cut before it has left. */
async function cutPower(synchronous: string, random: () => number) {
  const tally = { acked: 0, lost: 0, cutsWithLoss: 0, damaged: 0, unsynced: 0 };
  let before = folder(`${synchronous}-empty`);
  let earlier: number[] = [];
  for (let cut = 0; cut < CUTS; cut++) {
    const at = join(work, `${synchronous}-${cut}`);
    const { acked, looks, kept, after } = await cutOnce({ before, at, synchronous, random }, earlier);
    const lost = Math.max(...looks.map((look) => look.lost.length));
    tally.acked += acked.length;
    tally.lost += lost;
    tally.cutsWithLoss += lost > 0 ? 1 : 0;
    tally.damaged += looks.filter(({ integrity }) => integrity !== 'ok').length;
    tally.unsynced += looks[0]!.unsynced;
    [before, earlier] = [after, kept];
  }
  console.log(`synchronous=${synchronous}, ${CUTS} cuts, HELIX_SEED=${SEED}: ${JSON.stringify(tally)}`);
  return tally;
}

function traced(dir: string, log: string): Record<string, string> {
  const environment = shimEnvironment(dir, log);
  if (typeof environment === 'string') throw new Error(environment);
  return environment;
}

beforeAll(() => console.log(`HELIX_SEED=${SEED}`));

beforeEach(({ skip }) => {
  const environment = shimEnvironment(folder('probe'), join(work, 'probe.log'));
  if (typeof environment === 'string') skip(`the simulated power cut needs ${environment}`);
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

test('no acknowledged row is lost in a power cut with synchronous=FULL', SLOW, async () => {
  const tally = await cutPower('FULL', numbersFrom(SEED));
  expect(tally).toMatchObject({ lost: 0, damaged: 0 });
});

test('acknowledged rows are lost with synchronous=NORMAL, so the simulation has teeth', SLOW, async () => {
  const tally = await cutPower('NORMAL', numbersFrom(SEED + 1));
  expect(tally.cutsWithLoss).toBeGreaterThan(0);
  expect(tally.damaged).toBe(0);
});

/** Every file and folder below, with its mode and bytes; without the -shm files. */
function contents(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => !name.endsWith('-shm'));
  const described = names.sort().map((name) => {
    const about = statSync(join(root, name));
    if (about.isDirectory()) return [name, 'folder'];
    return [name, `${(about.mode & 0o777).toString(8)} ${readFileSync(join(root, name)).toString('base64')}`];
  });
  return Object.fromEntries(described);
}

test('the trace holds every byte: with nothing dropped the image equals the folder', async () => {
  const [dir, log, image, base] = [
    folder('files'),
    join(work, 'files.log'),
    join(work, 'files-image'),
    join(work, 'files-base'),
  ];
  for (const name of ['old', 'replaced', 'removed', 'untouched']) writeFileSync(join(dir, name), name);
  cpSync(dir, base, { recursive: true });
  await killAfter(1, [script('use-files.cjs', useFiles), sqlite, dir], traced(dir, log));
  imageAfterPowerCut(log, base, image, { dropUnsynced: 'none' });
  expect(contents(image)).toEqual(contents(dir));
});

test('only what was synced survives when all else is dropped, torn or not', async () => {
  const [dir, log] = [folder('torn'), join(work, 'torn.log')];
  const text = `const fs = require('node:fs');
const fd = fs.openSync(process.argv[2], 'w');
fs.writeSync(fd, 'A'.repeat(2048));
fs.fsyncSync(fd);
fs.writeSync(fd, 'B'.repeat(4096), 0);
fs.writeSync(1, 'done\\n');
setInterval(() => {}, 1000);`;
  await killAfter(1, [script('torn.cjs', text), join(dir, 'file')], traced(dir, log));
  const imageOf = (name: string, dropUnsynced: DropUnsynced) => {
    imageAfterPowerCut(log, null, join(work, name), { dropUnsynced });
    return readFileSync(join(work, name, 'file'), 'latin1');
  };
  expect(imageOf('torn-all', 'all')).toBe('A'.repeat(2048));
  const images = Array.from({ length: 20 }, (_, n) => imageOf(`torn-${n}`, { seed: SEED + n }));
  expect(imageOf('torn-again', { seed: SEED })).toBe(images[0]);
  expect(new Set(images).size).toBeGreaterThan(5);
  for (const image of images) expect(image.match(/.{512}/gs)?.every((sector) => new Set(sector).size === 1)).toBe(true);
  expect(images.some((image) => /AB|BA/.test(image))).toBe(true);
});

test('a process that did not load the shim leaves no trace to trust', () => {
  const image = () => imageAfterPowerCut(join(work, 'absent.log'), null, join(work, 'absent'), { dropUnsynced: 'all' });
  expect(image).toThrow('did not load the shim');
});
