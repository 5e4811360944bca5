// Stands in for GitHub's command line: the few commands that this demo uses, with the same flags, output and exit codes
// (https://cli.github.com/manual). The host and the token come from the same variables.
const { GH_HOST, GH_ENTERPRISE_TOKEN } = process.env;
const [group, verb, ...rest] = process.argv.slice(2);

if (!GH_HOST || !GH_ENTERPRISE_TOKEN) fail(4, 'To get started with GitHub CLI, please run: gh auth login');
if (group === 'api') await api(verb, flagsOf(rest));
else if (group === 'pr' && verb === 'create') await create(flagsOf(rest));
else if (group === 'pr' && verb === 'list') await list(flagsOf(rest));
else fail(1, `unknown command "${group} ${verb}" for "gh"`);

async function api(path, { method, 'raw-field': fields = [], jq }) {
  const body = Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const answer = await ask(method ?? (fields.length > 0 ? 'POST' : 'GET'), path, fields.length > 0 ? body : undefined);
  // Of jq only paths such as .object.sha.
  const shown = jq
    ? jq
        .split('.')
        .filter(Boolean)
        .reduce((value, key) => value?.[key], answer)
    : answer;
  console.log(typeof shown === 'string' ? shown : JSON.stringify(shown));
}

async function create({ repo, head, base, title, body }) {
  const pull = await ask('POST', `repos/${repo}/pulls`, { title, head, base, body });
  console.log(pull.html_url);
}

async function list({ repo, head, json }) {
  const pulls = await ask('GET', `repos/${repo}/pulls?head=${repo.split('/')[0]}:${head}`);
  const fields = { url: 'html_url', number: 'number', title: 'title' };
  console.log(
    JSON.stringify(pulls.map((pull) => Object.fromEntries(json.split(',').map((name) => [name, pull[fields[name]]])))),
  );
}

async function ask(method, path, body) {
  const response = await fetch(`http://${GH_HOST}/api/v3/${path}`, {
    method,
    headers: { authorization: `Bearer ${GH_ENTERPRISE_TOKEN}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  if (!response.ok) fail(1, `gh: ${answer.message} (HTTP ${response.status})`);
  return answer;
}

/** `--name value`, `-f` for `--raw-field`, which may come again. */
function flagsOf(words) {
  const short = {
    '-f': '--raw-field',
    '-X': '--method',
    '-R': '--repo',
    '-H': '--head',
    '-B': '--base',
    '-t': '--title',
    '-b': '--body',
    '-q': '--jq',
  };
  const flags = {};
  for (let n = 0; n < words.length; n += 2) {
    const name = (short[words[n]] ?? words[n]).slice(2);
    flags[name] = name === 'raw-field' ? [...(flags[name] ?? []), words[n + 1]] : words[n + 1];
  }
  return flags;
}

function fail(code, message) {
  console.error(message);
  process.exit(code);
}
