// Stands where the program gh would: takes the commands that the demos' Roles name and asks the stand-in for GitHub, which the
// daemon names in GH_HOST. https://cli.github.com/manual
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { GH_HOST, GH_TOKEN } = process.env;
const SHORT = {
  '-R': '--repo',
  '-b': '--body',
  '-F': '--body-file',
  '-t': '--title',
  '-H': '--head',
  '-B': '--base',
  '-c': '--comment',
};
const SWITCHES = new Set(['--merge', '--squash', '--rebase', '--approve', '--request-changes', '--delete-branch']);

const words = process.argv.slice(2);
const run = randomUUID();
const { operands, flags } = parse(words);
const [group = '', verb = '', name = ''] = operands;
const repo = flags.repo ?? '';

try {
  if (!GH_HOST || !GH_TOKEN) throw new Error('gh is not logged in: GH_TOKEN is not set');
  const answer = await dispatch(`${group} ${verb}`);
  if (answer !== undefined) console.log(typeof answer === 'string' ? answer : JSON.stringify(answer));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function dispatch(command) {
  switch (command) {
    case 'issue list':
      return picked(
        (await ask('GET', `/repos/${repo}/issues?state=${flags.state ?? 'open'}`)).filter((it) => !it.pull_request),
      );
    case 'issue view':
      return picked(await ask('GET', `/repos/${repo}/issues/${name}`));
    case 'pr view':
      return picked(await ask('GET', `/repos/${repo}/pulls/${name}`));
    case 'pr list': {
      const pulls = await ask('GET', `/repos/${repo}/pulls?state=${flags.state ?? 'open'}`);
      return picked(pulls.filter(({ head }) => !flags.head || head.ref === flags.head));
    }
    case 'issue edit':
      await ask('POST', `/repos/${repo}/issues/${name}/labels`, { labels: flags['add-label'].split(',') });
      return `https://github.com/${repo}/issues/${name}`;
    case 'issue comment':
    case 'pr comment':
      await ask('POST', `/repos/${repo}/issues/${name}/comments`, { body: body() });
      return `https://github.com/${repo}/issues/${name}`;
    case 'pr review':
      await ask('POST', `/repos/${repo}/pulls/${name}/reviews`, { event: reviewEvent(), body: body() });
      return undefined;
    case 'pr create': {
      const { title, head, base = 'main' } = flags;
      return (await ask('POST', `/repos/${repo}/pulls`, { title, body: body(), head, base })).html_url;
    }
    case 'pr merge':
      return ask('PUT', `/repos/${repo}/pulls/${name}/merge`, {});
    case 'repo clone': {
      const { clone_url: url } = await ask('GET', `/repos/${name}`);
      const { status } = spawnSync('git', ['clone', '--quiet', url, operands[3]], { stdio: 'inherit' });
      if (status !== 0) throw new Error(`failed to clone ${name}`);
      return undefined;
    }
    case 'project view':
      return { id: (await ask('GET', '/stand-in/board')).id };
    case 'project field-list':
      return { fields: (await ask('GET', '/stand-in/board')).fields };
    case 'project item-list':
      return { items: (await ask('GET', '/stand-in/board')).items };
    case 'project item-add':
      return ask('POST', '/stand-in/board', { number: Number(/\/(\d+)$/.exec(flags.url)?.[1]) });
    case 'project item-edit':
      return ask('POST', '/stand-in/board', { card: flags.id, option: flags['single-select-option-id'] });
    default:
      throw new Error(`unknown command "${command.trim()}" for this stand-in of gh`);
  }
}

/** Every request names the whole command, so that a demo can see what was done. */
async function ask(method, path, given) {
  const response = await fetch(`http://${GH_HOST}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${GH_TOKEN}`,
      'x-gh-command': encodeURIComponent(JSON.stringify(words)),
      'x-gh-run': run,
    },
    ...(given ? { body: JSON.stringify(given) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${JSON.parse(text || '{}').message ?? text} (${path})`);
  return text === '' ? undefined : JSON.parse(text);
}

/** With `--json a,b` only these fields, as gh does it. */
function picked(value) {
  if (flags.json === undefined) return value;
  const pick = (one) =>
    Object.fromEntries(flags.json.split(',').map((key) => [key, one[key === 'url' ? 'html_url' : key]]));
  return Array.isArray(value) ? value.map(pick) : pick(value);
}

function body() {
  if (flags['body-file'] === undefined) return flags.body ?? '';
  return readFileSync(flags['body-file'] === '-' ? 0 : flags['body-file'], 'utf8');
}

function reviewEvent() {
  if (words.includes('--approve')) return 'APPROVE';
  return words.includes('--request-changes') ? 'REQUEST_CHANGES' : 'COMMENT';
}

function parse(given) {
  const found = { operands: [], flags: {} };
  for (let n = 0; n < given.length; n++) {
    const [word, inline] = given[n].startsWith('--') ? given[n].split(/=(.*)/s) : [given[n]];
    const flag = SHORT[word] ?? word;
    if (!flag.startsWith('--')) found.operands.push(flag);
    else if (SWITCHES.has(flag) || (flag === '--comment' && given[0] === 'pr')) found.flags[flag.slice(2)] = true;
    else found.flags[flag.slice(2)] = inline ?? given[++n];
  }
  return found;
}
