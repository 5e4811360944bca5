// A lock file between processes that would install into the same folder. The holder touches it every second. One that is
// left behind is known by its age only: when its process was killed, the npm it had started is still at work for a while.
import { mkdirSync, readFileSync, statSync, unlinkSync, utimes, writeFileSync } from 'fs';
import { dirname } from 'path';

const STALE_MS = 15000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  while (!(await take(file))) {
    if (!told) process.stderr.write('Another helix-org process is installing; waiting for it to finish.\n');
    told = true;
    await sleep(200);
  }
  const beat = setInterval(() => utimes(file, new Date(), new Date(), () => {}), 1000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (isOurs(file)) unlinkSync(file);
  }
}

async function take(file) {
  try {
    if (isStale(file)) unlinkSync(file);
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    // Somebody who judged the same stale lock a moment earlier may just have removed this one.
    await sleep(100);
    return isOurs(file);
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false;
    throw error;
  }
}

function isOurs(file) {
  try {
    return readFileSync(file, 'utf8') === String(process.pid);
  } catch {
    return false;
  }
}

function isStale(file) {
  try {
    return Date.now() - statSync(file).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}
