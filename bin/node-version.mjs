// Which Node runs helix-org, and how a process continues under it. Old Nodes must be able to parse this folder and
// scripts/: syntax of 2019 at most and no node: prefixes.
import { spawn } from 'child_process';
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'fs';
import { homedir, constants as osConstants, tmpdir } from 'os';
import { delimiter, dirname, join } from 'path';
import { withLock } from './lock.mjs';

export const PINNED = '24.21.0';
/** What can be made again: in the user's cache directory. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'helix-org');
const KNOWN = join(CACHE, `node-${PINNED}-${process.platform}-${process.arch}`);

/** What a Node before 22.18 needs to run .ts files; later ones do by themselves. */
export const STRIP_TYPES = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'];

/** The first versions with Node-API 10; better-sqlite3 crashes without a message on older ones. */
export function isFit(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 14);
}

export function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

export function refusal(sentence) {
  return Object.assign(new Error(sentence), { sentence });
}

/** The last resort of both entry points: our own refusals are one sentence, everything else is a bug with its stack. */
export function fail(error) {
  say(error.sentence || error.stack || String(error));
  process.exitCode = 1;
}

/** The path of the pinned Node; the first time on a machine npm fetches it. */
export async function findPinnedNode() {
  const path = known();
  if (path) return path;
  try {
    mkdirSync(CACHE, { recursive: true });
    accessSync(CACHE, constants.W_OK);
  } catch {
    return fetchNode(); // A home that cannot be written: npm is asked every time.
  }
  return withLock(join(CACHE, 'node.lock'), async () => {
    const found = known() || (await fetchNode());
    writeFileSync(KNOWN, `${found}\n`);
    return found;
  });
}

function known() {
  try {
    const path = readFileSync(KNOWN, 'utf8').trim();
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

async function fetchNode() {
  const need = `helix-org needs Node 22.14 or newer and this is ${process.version}`;
  say(`${need}, so it fetches Node ${PINNED} through npm, once (190 MB).`);
  const probe = "process.version + ' ' + process.execPath";
  const args = ['exec', '--yes', '--ignore-scripts=false', `--package=node@${PINNED}`, '--', 'node', '-p', probe];
  const result = await npm(args, tmpdir()); // Outside of any project, whose own packages might answer.
  const [version, path] = result.stdout.trim().split(/ (.*)/);
  if (result.code === 0 && version === `v${PINNED}`) return path;
  throw refusal(
    `${need}, and npm could not fetch Node ${PINNED} (${reason(result)}); install Node 24, or put npm on the PATH and check the network.`,
  );
}

function reason({ code, stdout, stderr }) {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, ''));
  if (code === 0) return `it gave ${stdout.trim() || 'nothing'}`;
  return lines.find((line) => line && !/^(code|errno|syscall) /.test(line)) || `exit ${code}`;
}

/** Runs npm quietly to its end; its own warnings (engines, user configuration) are noise to the reader. */
export function npm(args, cwd) {
  const child = spawn('npm', ['--loglevel=error'].concat(args), { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const stopForwarding = forwardSignals(child);
  const result = { code: 1, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].on('data', (chunk) => {
      result[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => resolve({ ...result, stderr: error.message }));
    child.on('close', (code, signal) => {
      stopForwarding();
      if (signal !== null) reject(refusal('Stopped while npm was at work; run the same again.'));
      else resolve({ ...result, code });
    });
  });
}

/** Goes on in a child as if it were this process: same terminal, same signals, same end. Answers its exit code. */
export function runUnder(node, args) {
  const env = { ...process.env };
  // Whatever is started further down by the name of "node" gets the same one.
  if (node !== process.execPath) env.PATH = dirname(node) + delimiter + env.PATH;
  const child = spawn(node, args, { stdio: 'inherit', env });
  const stopForwarding = forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(refusal(`Cannot start ${node}: ${error.message}; try again.`)));
    child.on('exit', (code, signal) => {
      stopForwarding();
      process.exitCode = signal === null ? code : 128 + osConstants.signals[signal];
      if (signal !== null) process.kill(process.pid, signal);
      resolve(process.exitCode);
    });
  });
}

function forwardSignals(child) {
  const forward = (signal) => {
    // Ctrl-C reaches every process of the terminal by itself; twice would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.removeListener(signal, forward);
  };
}
