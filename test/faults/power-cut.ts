// A simulated power cut. A process runs with a shim that traces what it does to its files; it is killed; from the trace
// the folder is rebuilt as the disk would hold it, with everything at risk that was not synced.
//
//   const env = shimEnvironment(dir, log);
//   if (typeof env === 'string') skip(env);
//   const child = spawn(process.execPath, [script], { env: { ...process.env, ...env } });
//   …wait for what it acknowledges, then child.kill('SIGKILL') and wait for 'close'…
//   imageAfterPowerCut(log, null, image, { dropUnsynced: { seed } });
//   …open image and look for everything that was acknowledged…
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { compileShim } from './compile-shim.ts';

const SECTOR = 512;
const MAGIC = 0xc07a11da7af00d5en;
const CLOSING = BigInt.asUintN(64, ~MAGIC);
const HEADER = 40;
const KINDS = ['', 'start', 'open', 'write', 'truncate', 'syncBegin', 'syncEnd', 'remove', 'rename', 'link', 'folder'];

export type DropUnsynced = 'all' | 'none' | { seed: number };

/** What the trace held: `unsynced` counts the writes and truncations that no later sync covered. */
export type TraceSummary = { operations: number; syncs: number; unsynced: number };

type TraceRecord = { kind: string; mode: number; task: number; inode: bigint; position: number; data: Buffer };
type Change = { number: number; position: number; bytes: Buffer | null };
/** The content is the first `size` bytes of `room`; the rest of it is zeros. */
type FileOnDisk = { inode: bigint | null; mode: number; room: Buffer; size: number; pending: Change[] };
type Disk = {
  root: string;
  files: Map<string, FileOnDisk>;
  folders: Set<string>;
  byInode: Map<bigint, FileOnDisk>;
  begunSyncs: Map<string, number>;
  operations: number;
  syncs: number;
};

/**
 * What to add to the environment of a process so that its writes below `dir`, and those of the processes it starts, are
 * traced to `logFile`; or, as a string, what this machine lacks for that.
 *
 * `dir` is created when absent; its files that exist already must be given to `imageAfterPowerCut` as `baseDir`, in a copy
 * made before the process starts. `logFile` lies outside of `dir`. A second run may go on in the same `dir` and `logFile`;
 * its trace is appended. What the trace cannot see is listed at the head of power-cut-shim.c: SQLite and Node's `fs` are
 * covered, but not everything an arbitrary program may do to files.
 */
export function shimEnvironment(dir: string, logFile: string): Record<string, string> | string {
  const shim = compileShim('power-cut-shim');
  if ('missing' in shim) return shim.missing;
  mkdirSync(dir, { recursive: true });
  const preloaded = process.env.LD_PRELOAD ? `:${process.env.LD_PRELOAD}` : '';
  return {
    LD_PRELOAD: `${shim.library}${preloaded}`,
    HELIX_POWER_CUT_DIR: realpathSync(dir),
    HELIX_POWER_CUT_LOG: logFile,
    // io_uring would write past the shim.
    UV_USE_IO_URING: '0',
  };
}

/**
 * Rebuilds in `targetDir` (absent or empty) what the disk would hold had the power been cut at the end of the trace: every
 * file with all changes up to its last completed fsync or fdatasync and, of the later ones,
 * - `'all'` dropped: nothing, the least that a drive may keep;
 * - `{ seed }`: a random part, as a drive keeps that reorders: each 512-byte sector of each write by itself, any truncation,
 *   and the length of a file without its bytes (zeros); the same seed and trace give the same image;
 * - `'none'` dropped: all of them, which equals the folder as it is after the kill.
 *
 * `baseDir` is a copy of the traced folder from before the trace, taken as synced; `null` if it was empty. Created, renamed
 * and removed names are durable at once. There are no -shm files, sockets or symbolic links in an image.
 */
export function imageAfterPowerCut(
  logFile: string,
  baseDir: string | null,
  targetDir: string,
  options: { dropUnsynced: DropUnsynced },
): TraceSummary {
  if (existsSync(targetDir) && readdirSync(targetDir).length > 0) throw new Error(`${targetDir} is not empty`);
  const disk = load(baseDir);
  for (const record of recordsOf(logFile)) replay(disk, record);
  if (disk.root === '') throw new Error(`${logFile} holds no trace: the process did not load the shim`);
  const files = new Set(disk.files.values());
  const unsynced = [...files].reduce((sum, file) => sum + file.pending.length, 0);
  const random = typeof options.dropUnsynced === 'object' ? numbersFrom(options.dropUnsynced.seed) : null;
  for (const file of files) {
    if (random) keepSome(file, random);
    else if (options.dropUnsynced === 'none') for (const change of file.pending) apply(file, change);
  }
  store(disk, targetDir);
  return { operations: disk.operations, syncs: disk.syncs, unsynced };
}

/** Random numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function* recordsOf(logFile: string): Generator<TraceRecord> {
  const log = existsSync(logFile) ? readFileSync(logFile) : Buffer.alloc(0);
  const magic = Buffer.alloc(8);
  magic.writeBigUInt64LE(MAGIC);
  for (let at = log.indexOf(magic); at >= 0 && at + HEADER <= log.length; ) {
    const end = at + HEADER + Number(log.readBigUInt64LE(at + 32));
    if (end + 8 <= log.length && log.readBigUInt64LE(end) === CLOSING) {
      yield {
        kind: KINDS[log.readUInt16LE(at + 8)] ?? '',
        mode: log.readUInt16LE(at + 10),
        task: log.readUInt32LE(at + 12),
        inode: log.readBigUInt64LE(at + 16),
        position: Number(log.readBigUInt64LE(at + 24)),
        data: log.subarray(at + HEADER, end),
      };
      at = end + 8;
    } else {
      // Torn by the kill: an operation of a dead process that nobody synced.
      at = log.indexOf(magic, at + 8);
    }
  }
}

function replay(disk: Disk, record: TraceRecord) {
  const [first = '', second = ''] = isAboutNames(record.kind) ? pathsOf(disk, record) : [];
  if (record.kind === 'start') disk.root = record.data.toString();
  else if (record.kind === 'open') open(disk, record, first);
  else if (record.kind === 'write') change(disk, record, record.data);
  else if (record.kind === 'truncate') change(disk, record, null);
  else if (record.kind === 'syncBegin') disk.begunSyncs.set(`${record.task} ${record.inode}`, disk.operations);
  else if (record.kind === 'syncEnd') endSync(disk, record);
  else if (record.kind === 'remove') remove(disk, first, record.inode);
  else if (record.kind === 'rename') rename(disk, first, second);
  else if (record.kind === 'link') disk.files.set(second, existing(disk, first));
  else if (record.kind === 'folder') disk.folders.add(first);
  else throw new Error('the trace was written by another version of the shim');
}

const isAboutNames = (kind: string) => ['open', 'remove', 'rename', 'link', 'folder'].includes(kind);
const isInside = (path: string) => path !== '' && !path.startsWith('..');

function pathsOf(disk: Disk, record: TraceRecord): string[] {
  const paths = record.data.toString().split('\0');
  return paths.map((path) => relative(disk.root, path));
}

function open(disk: Disk, { inode, position, mode }: TraceRecord, path: string) {
  let file = disk.files.get(path);
  if (file && (file.inode ?? inode) !== inode) file = undefined;
  if (!file && position > 0) throw new Error(`${path} had content that is neither in the trace nor in baseDir`);
  file ??= { inode, mode, room: Buffer.alloc(0), size: 0, pending: [] };
  file.inode = inode;
  disk.files.set(path, file);
  disk.byInode.set(inode, file);
}

function change(disk: Disk, { inode, position }: TraceRecord, bytes: Buffer | null) {
  const file = disk.byInode.get(inode);
  if (!file) throw new Error('the trace names a file that it did not open: was it begun in the middle?');
  file.pending.push({ number: disk.operations++, position, bytes });
}

/** A sync covers what was done before it began, not what other threads did meanwhile. */
function endSync(disk: Disk, { task, inode }: TraceRecord) {
  const begun = disk.begunSyncs.get(`${task} ${inode}`) ?? 0;
  const file = disk.byInode.get(inode);
  const durable = file?.pending.filter(({ number }) => number < begun) ?? [];
  if (file) for (const pending of durable) apply(file, pending);
  file?.pending.splice(0, durable.length);
  disk.syncs++;
}

function remove(disk: Disk, path: string, inode: bigint) {
  const file = disk.files.get(path);
  // Another file may have taken the name before the removal was recorded.
  if (!file || (file.inode ?? inode) === inode) disk.files.delete(path);
  disk.folders.delete(path);
}

function rename(disk: Disk, from: string, to: string) {
  if (from === to) return;
  if (!isInside(from)) throw new Error(`${to} was moved in from outside of the traced folder`);
  const moves = (name: string) => name === from || name.startsWith(`${from}/`);
  const files = [...disk.files].filter(([name]) => moves(name));
  const folders = [...disk.folders].filter(moves);
  for (const [name] of files) disk.files.delete(name);
  for (const name of folders) disk.folders.delete(name);
  if (!isInside(to)) return;
  for (const [name, file] of files) disk.files.set(to + name.slice(from.length), file);
  for (const name of folders) disk.folders.add(to + name.slice(from.length));
}

function existing(disk: Disk, path: string): FileOnDisk {
  const file = disk.files.get(path);
  if (!file) throw new Error(`${path} is neither in the trace nor in baseDir`);
  return file;
}

function apply(file: FileOnDisk, { position, bytes }: Change) {
  grow(file, position + (bytes?.length ?? 0));
  if (bytes) bytes.copy(file.room, position);
  else file.room.fill(0, position, file.size);
  if (!bytes) file.size = position;
}

function grow(file: FileOnDisk, size: number) {
  if (size > file.room.length) {
    // Room for twice as much, so that a file that grows by the record is not copied for each.
    const room = Buffer.alloc(2 * size);
    file.room.copy(room, 0, 0, file.size);
    file.room = room;
  }
  file.size = Math.max(file.size, size);
}

function keepSome(file: FileOnDisk, random: () => number) {
  const share = random();
  let fullSize = file.size;
  for (const { number, position, bytes } of file.pending) {
    fullSize = bytes === null ? position : Math.max(fullSize, position + bytes.length);
    if (bytes === null && random() < share) apply(file, { number, position, bytes });
    for (let at = 0; bytes !== null && at < bytes.length; ) {
      const length = Math.min(SECTOR - ((position + at) % SECTOR), bytes.length - at);
      const part = bytes.subarray(at, at + length);
      if (random() < share) apply(file, { number, position: position + at, bytes: part });
      at += length;
    }
  }
  if (random() < 0.5) grow(file, fullSize);
}

function load(baseDir: string | null): Disk {
  const files = new Map<string, FileOnDisk>();
  const folders = new Set<string>();
  for (const entry of baseDir === null ? [] : readdirSync(baseDir, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const path = relative(baseDir ?? '', source);
    if (entry.isDirectory()) folders.add(path);
    if (!entry.isFile() || path.endsWith('-shm')) continue;
    const mode = statSync(source).mode & 0o7777;
    const room = readFileSync(source);
    files.set(path, { inode: null, mode, room, size: room.length, pending: [] });
  }
  return { root: '', files, folders, byInode: new Map(), begunSyncs: new Map(), operations: 0, syncs: 0 };
}

function store(disk: Disk, targetDir: string) {
  mkdirSync(targetDir, { recursive: true });
  for (const folder of disk.folders) mkdirSync(join(targetDir, folder), { recursive: true });
  for (const [path, file] of disk.files) {
    const target = join(targetDir, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.room.subarray(0, file.size));
    chmodSync(target, file.mode);
  }
}
