// Stands before gh for AI Workers: what they write on GitHub gets an invisible comment at its end that says in which
// activation it was written. Everything else passes as it is. Run as: gh.mjs <directory of the wrappers> <gh's arguments>.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';

const COMMENT = /\n*<!-- helix-activation: [^\n>]* -->/g;
const BODY = { text: ['-b', '--body'], file: ['-F', '--body-file'] };
const REMARK = { text: ['-c', '--comment'], file: [] };
const NOTES = { text: ['-n', '--notes'], file: ['-F', '--notes-file'] };

/** Which flags carry text, by command. */
const WRITES = {
  issue: { create: BODY, comment: BODY, edit: BODY, close: REMARK, reopen: REMARK },
  pr: { create: BODY, comment: BODY, edit: BODY, review: BODY, close: REMARK, reopen: REMARK },
  release: { create: NOTES, edit: NOTES },
};

const [wrappers = '', ...given] = process.argv.slice(2);
const provenance = process.env.HELIX_PROVENANCE;
const run = { args: given, input: undefined };
try {
  if (provenance) mark();
} catch (error) {
  // gh itself says what is wrong with a file that cannot be read.
  if (!error.code) process.stderr.write(`gh: the text is not marked as a Worker's: ${error.message}\n`);
  Object.assign(run, { args: given, input: undefined });
}
start();

function start() {
  const gh = find('gh');
  if (!gh) {
    process.stderr.write('gh: command not found\n');
    process.exit(127);
  }
  const stdin = run.input === undefined ? 'inherit' : 'pipe';
  const ended = spawnSync(gh, run.args, { stdio: [stdin, 'inherit', 'inherit'], input: run.input });
  if (ended.error) process.stderr.write(`gh: ${ended.error.message}\n`);
  process.exitCode = ended.signal ? 128 + osConstants.signals[ended.signal] : (ended.status ?? 126);
}

/** The next one of this name on the search path after the wrappers. */
function find(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === wrappers) continue;
    const file = join(folder || '.', name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
}

function mark() {
  const [group = '', ...words] = given;
  if (group === 'api') return markApi();
  const verbs = WRITES[group] ?? {};
  const verb = words.find((word) => Object.hasOwn(verbs, word));
  if (!verb) return;
  const found = eachFlag(verbs[verb]);
  if (found) return;
  if (group === 'pr' && verb === 'review') run.args = [...given, '--body', comment()];
  else if (group === 'pr' && verb === 'create' && given.some((word) => word.startsWith('--fill')))
    run.args = [...given, '--body', marked(lastCommitText())];
}

/** @returns whether there was text to mark */
function eachFlag({ text, file }) {
  let found = false;
  const args = [];
  for (let n = 0; n < given.length; n++) {
    const word = given[n];
    const [flag, value] = split(word, [...text, ...file], given[n + 1]);
    if (flag === undefined || value === undefined) {
      args.push(word);
      continue;
    }
    found = true;
    if (value.isNext) n++;
    if (text.includes(flag)) args.push(value.switches, flag, marked(value.is));
    else {
      run.input = marked(read(value.is));
      args.push(value.switches, flag, '-');
    }
  }
  run.args = args.filter((word) => word !== undefined);
  return found;
}

/** `--flag value`, `--flag=value`, `-f value`, `-fvalue`, and `-af value` behind switches that take nothing. */
function split(word, flags, next) {
  for (const flag of flags) {
    if (word === flag) return [flag, next === undefined ? undefined : { is: next, isNext: true }];
    if (flag.startsWith('--') && word.startsWith(`${flag}=`)) return [flag, { is: word.slice(flag.length + 1) }];
    if (flag.startsWith('--')) continue;
    if (word.startsWith(flag)) return [flag, { is: word.slice(2).replace(/^=/, '') }];
    if (/^-[acdrw]+$/.test(word.slice(0, -1)) && word.endsWith(flag.slice(1)) && next !== undefined)
      return [flag, { is: next, isNext: true, switches: word.slice(0, -1) }];
  }
  return [];
}

/** Fields named `body`, and the `body` of a JSON input. */
function markApi() {
  const args = [];
  for (let n = 0; n < given.length; n++) {
    const [flag, value] = split(given[n], ['-f', '--raw-field', '-F', '--field', '--input'], given[n + 1]);
    if (flag === undefined || value === undefined) {
      args.push(given[n]);
      continue;
    }
    if (value.isNext) n++;
    if (flag === '--input') {
      run.input = markedJson(read(value.is));
      args.push(flag, '-');
    } else args.push(...markedField(flag, value.is));
  }
  run.args = args;
}

function markedField(flag, field) {
  if (!field.startsWith('body=')) return [flag, field];
  const value = field.slice('body='.length);
  const isFile = (flag === '-F' || flag === '--field') && value.startsWith('@');
  return ['--raw-field', `body=${marked(isFile ? read(value.slice(1)) : value)}`];
}

function markedJson(text) {
  try {
    const value = JSON.parse(text);
    if (typeof value?.body === 'string') return JSON.stringify({ ...value, body: marked(value.body) });
  } catch {}
  return text;
}

function read(file) {
  return readFileSync(file === '-' ? 0 : file, 'utf8');
}

/** What the Worker copied from an earlier text says nothing about this one. */
function marked(text) {
  const own = text.replace(COMMENT, '').trimEnd();
  return own === '' ? comment() : `${own}\n\n${comment()}`;
}

/** The random part tells a text that was written anew from one that somebody else changed. */
function comment() {
  return `<!-- helix-activation: ${provenance} ${randomBytes(6).toString('hex')} -->`;
}

function lastCommitText() {
  const git = find('git');
  return git ? spawnSync(git, ['log', '-1', '--format=%b'], { encoding: 'utf8' }).stdout : '';
}
