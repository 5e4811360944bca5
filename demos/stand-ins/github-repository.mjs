// What the stand-in for GitHub knows of issues, pull requests and one project board. Paths and fields of issues and pull
// requests are those of the REST API; the board, which the real one has in GraphQL only, is reached by paths of its own.
import { ACCOUNT } from './github.mjs';

/** @returns the answer, or undefined where there is nothing of that name */
export function answerRepository(state, { method, path, query, given }) {
  const root = `/repos/${state.repo}`;
  if (path === '/stand-in/board') return board(state, method, given);
  if (path === root) return { body: { full_name: state.repo, clone_url: state.cloneUrl, default_branch: 'main' } };
  if (!path.startsWith(`${root}/`)) return undefined;
  const [, kind, number, what] = /^\/(issues|pulls)(?:\/(\d+))?(?:\/(\w+))?$/.exec(path.slice(root.length)) ?? [];
  if (!kind) return undefined;
  if (number === undefined) return method === 'POST' ? create(state, kind, given) : list(state, kind, query);
  const item = state.issues.get(Number(number));
  return item && change(state, item, { method, what, given });
}

function list({ issues, repo }, kind, query) {
  const open = query.get('state') ?? 'open';
  const found = [...issues.values()].filter((item) => open === 'all' || item.state === open);
  return { body: found.filter(({ isPull }) => kind === 'issues' || isPull).map((item) => view(item, repo)) };
}

function view(item, repo) {
  const { number, title, body, state, labels, comments, isPull, merged, head } = item;
  const html_url = `https://github.com/${repo}/${isPull ? 'pull' : 'issues'}/${number}`;
  const pull = isPull ? { pull_request: {}, merged, head: { ref: head }, base: { ref: 'main' } } : {};
  return {
    number,
    title,
    body,
    state,
    html_url,
    labels: labels.map((name) => ({ name })),
    comments: comments.length,
    ...pull,
  };
}

function create(state, kind, { title, body = '', head, labels = [] }) {
  const isPull = kind === 'pulls';
  const number = Math.max(0, ...state.issues.keys()) + 1;
  const item = { number, title, body, labels, comments: [], reviews: [], state: 'open', isPull, merged: false, head };
  state.issues.set(number, item);
  tell(state, isPull ? 'pull_request' : 'issues', 'opened', { item });
  return { status: 201, body: view(item, state.repo) };
}

function change(state, item, { method, what, given }) {
  switch (`${method} ${what ?? ''}`) {
    case 'GET ':
      return { body: view(item, state.repo) };
    case 'GET comments':
      return { body: item.comments.map((body) => ({ body, user: { login: ACCOUNT } })) };
    case 'POST labels': {
      const added = given.labels.filter((name) => !item.labels.includes(name));
      item.labels.push(...added);
      for (const name of added) tell(state, 'issues', 'labeled', { item, label: { name } });
      return { body: item.labels.map((name) => ({ name })) };
    }
    case 'POST comments':
      item.comments.push(given.body);
      tell(state, 'issue_comment', 'created', { item, comment: { body: given.body } });
      return { status: 201, body: { body: given.body } };
    case 'POST reviews': {
      const review = { body: given.body, state: given.event === 'COMMENT' ? 'commented' : given.event };
      item.reviews.push(review);
      tell(state, 'pull_request_review', 'submitted', { item, review });
      return { body: review };
    }
    case 'PUT merge':
      Object.assign(item, { state: 'closed', merged: true });
      return { body: { merged: true } };
    case 'PATCH ':
      Object.assign(item, given);
      return { body: view(item, state.repo) };
  }
}

/** After the answer, as the real one does. The sender is the account whose token was used. */
function tell(state, event, action, about) {
  if (about.item.isPull && event === 'issues') return;
  setImmediate(() => void state.happen(event, action, { ...about, sender: ACCOUNT }));
}

const optionId = (name) => `option-${name.toLowerCase().replaceAll(' ', '-')}`;

/** The board: its columns, its cards, and moving one. */
function board(state, method, given) {
  if (method === 'GET') {
    const options = state.columns.map((name) => ({ id: optionId(name), name }));
    const items = state.cards.map(({ number, column }) => ({
      id: `card-${number}`,
      status: column,
      content: { number, repository: state.repo, type: 'Issue' },
    }));
    return { body: { id: 'PVT_board', fields: [{ id: 'field-status', name: 'Status', options }], items } };
  }
  const column = state.columns.find((name) => optionId(name) === given.option);
  const number = Number(given.card?.slice('card-'.length) ?? given.number);
  let card = state.cards.find((each) => each.number === number);
  if (!card) {
    card = { number, column: 'Todo', history: ['Todo'] };
    state.cards.push(card);
  }
  if (given.option !== undefined && !column) return { status: 422, body: { message: 'The option does not exist' } };
  if (column) {
    card.column = column;
    card.history.push(column);
  }
  return { body: { id: `card-${number}` } };
}
