// The repository of the paper's site, as GitHub's REST API shows it: a stand-in with one repository that knows branches, files and
// pull requests (https://docs.github.com/en/rest). It refuses what GitHub would refuse.

const TOKEN = 'ghp_of_the_demo';
const MAIN = '8f1d2c3b4a5968778695a4b3c2d1e0f001122334';

export async function openSite(scene, repo) {
  const branches = new Map([['main', MAIN]]);
  const files = new Map();
  const pulls = [];
  const merges = [];

  /** Handlers get what the pattern found, and the fields of the body or the query. */
  const routes = [
    ['GET', /^git\/ref\/heads\/(.+)$/, readBranch],
    ['POST', /^git\/refs$/, makeBranch],
    ['PUT', /^contents\/(.+)$/, putFile],
    ['GET', /^pulls$/, (_, { head = '' }) => pulls.filter((pull) => pull.head === head.split(':')[1])],
    ['POST', /^pulls$/, openPull],
    ['PUT', /^pulls\/(\d+)\/merge$/, ([number]) => ({ merged: merges.push(number) > 0 })],
  ];

  function readBranch([branch]) {
    if (!branches.has(branch)) throw none();
    return { object: { sha: branches.get(branch) } };
  }

  function makeBranch(_, { ref = '', sha }) {
    const branch = ref.replace('refs/heads/', '');
    if (branches.has(branch)) throw refusal(422, 'Reference already exists');
    if (![...branches.values()].includes(sha)) throw refusal(422, 'Object does not exist');
    branches.set(branch, sha);
    return { ref };
  }

  function putFile([path], { branch = 'main', content, message }) {
    if (!branches.has(branch) || !message) throw refusal(422, 'Invalid request');
    files.set(`${branch}:${path}`, Buffer.from(content, 'base64').toString());
    return { content: { path } };
  }

  function openPull(_, { title, head, base, body }) {
    if (!branches.has(head) || !branches.has(base) || !title) throw refusal(422, 'Validation Failed');
    if (pulls.some((pull) => pull.head === head)) throw refusal(422, `A pull request already exists for ${head}.`);
    const number = 101 + pulls.length;
    const pull = { number, title, head, base, body, html_url: `${url}/${repo}/pull/${number}` };
    pulls.push(pull);
    return pull;
  }

  function answer({ method, path, query, headers, body }) {
    try {
      if (headers.authorization !== `Bearer ${TOKEN}`) throw refusal(401, 'Bad credentials');
      const asked = decodeURIComponent(path.replace(`/api/v3/repos/${repo}/`, ''));
      for (const [verb, pattern, reply] of routes) {
        const found = method === verb && pattern.exec(asked);
        if (found)
          return { body: reply(found.slice(1), verb === 'GET' ? Object.fromEntries(query) : JSON.parse(body)) };
      }
      throw none();
    } catch (error) {
      return { status: error.status ?? 400, body: { message: error.message } };
    }
  }

  const { url } = await scene.listen(answer);
  return {
    /** For the setting `transport.github`. */
    account: { token: TOKEN, api_url: `${url}/api/v3` },
    pulls,
    merges,
    /** What a branch would put on the site. */
    file: (branch, path) => files.get(`${branch}:${path}`),
  };
}

const refusal = (status, message) => Object.assign(new Error(message), { status });
const none = () => refusal(404, 'Not Found');
