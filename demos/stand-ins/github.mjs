// A GitHub on loopback with one repository: the part of its REST API that the demos use, webhooks that are signed and really
// delivered, and recorded payloads (`payloads/EVENT.ACTION.json` of a demo) into which the issue or pull request is put.
import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { answerRepository } from './github-repository.mjs';

const TOKEN = 'ghp_stand_in';
/** The account that the token belongs to. */
export const ACCOUNT = 'acme-bot';

/**
 * @param {import('../../src/cli/stand-in.ts').Scene} scene
 * @param {{ repo: string, payloads: URL, cloneUrl?: string }} options
 */
export async function openGithub(scene, { repo, payloads, cloneUrl = '' }) {
  const state = {
    repo,
    cloneUrl,
    /** Issues and pull requests, which share their numbers. */
    issues: new Map(),
    columns: ['Todo', 'In Progress', 'In Review', 'Done'],
    cards: [],
    happen,
  };
  /** Commands of gh, as words. */
  const commands = [];
  /** Each delivery, in the shape of GitHub's list, newest first. */
  const deliveries = [];
  const hooks = new Map();
  let ids = 0;

  const server = await scene.listen(async ({ method, path, query, headers, body }) => {
    if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401, body: { message: 'Bad credentials' } };
    const command = headers['x-gh-command'];
    if (command && commands.at(-1)?.id !== headers['x-gh-run']) {
      commands.push({ id: headers['x-gh-run'], words: JSON.parse(decodeURIComponent(command)) });
      scene.say(`GitHub is told  gh ${commands.at(-1).words.slice(0, 6).join(' ')}`);
    }
    const given = body === '' ? {} : JSON.parse(body);
    const rest = path.startsWith(`/repos/${repo}/hooks`) ? path.slice(`/repos/${repo}/hooks`.length) : undefined;
    const answer =
      rest === undefined ? answerRepository(state, { method, path, query, given }) : answerHooks(method, rest, given);
    return answer ?? { status: 404, body: { message: 'Not Found' } };
  });

  function answerHooks(method, rest, given) {
    const [, id, what] = /^\/(\d+)(?:\/(\w+))?/.exec(rest) ?? [];
    const hook = hooks.get(Number(id));
    if (id && !hook) return undefined;
    switch (`${method} ${what ?? (id ? ':id' : '')}`) {
      case 'GET ':
        return { body: [...hooks.values()] };
      case 'POST ': {
        const made = { id: ++ids, ...given };
        hooks.set(made.id, made);
        setImmediate(() => void ping(made));
        return { status: 201, body: made };
      }
      case 'PATCH :id':
        return { body: Object.assign(hook, given) };
      case 'DELETE :id':
        hooks.delete(hook.id);
        return { status: 204 };
      case 'POST pings':
        setImmediate(() => void ping(hook));
        return { status: 204 };
      case 'GET deliveries':
        return { body: deliveries };
    }
  }

  const ping = (hook) =>
    deliver(hook, 'ping', { zen: 'Keep it logically awesome.', hook_id: hook.id, repository: { full_name: repo } });

  async function deliver(hook, event, payload) {
    const bytes = JSON.stringify(payload);
    const guid = randomUUID();
    const response = await fetch(hook.config.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/044aadd',
        'x-github-event': event,
        'x-github-delivery': guid,
        'x-hub-signature-256': `sha256=${createHmac('sha256', hook.config.secret).update(bytes).digest('hex')}`,
      },
      body: bytes,
    });
    const [about, action] = [payload.issue ?? payload.pull_request, payload.action ? `.${payload.action}` : ''];
    scene.say(`GitHub delivers ${event}${action}${about ? ` #${about.number}` : ''}  →  ${response.status}`);
    const { status, statusText } = response;
    deliveries.unshift({
      id: ++ids,
      guid,
      event,
      action: payload.action ?? null,
      delivered_at: new Date().toISOString(),
      status: statusText || 'OK',
      status_code: status,
    });
    return status;
  }

  /** Tells all webhooks; without a recorded payload of that kind nothing is told. @returns the statuses */
  async function happen(event, action, { item, sender = 'Codertocat', ...more }) {
    const file = new URL(`${event}.${action}.json`, payloads);
    if (!existsSync(file)) return [];
    const payload = JSON.parse(readFileSync(file, 'utf8'));
    const { number, title, body, labels, state: open, merged, head } = item;
    const url = `https://github.com/${repo}/${item.isPull ? 'pull' : 'issues'}/${number}`;
    const about = { number, title, body, labels: labels.map((name) => ({ name })), state: open, html_url: url };
    if (item.isPull) Object.assign(about, { merged, head: { ...payload.pull_request.head, ref: head } });
    Object.assign(payload[item.isPull && payload.pull_request ? 'pull_request' : 'issue'], about);
    if ('number' in payload) payload.number = number;
    for (const [name, value] of Object.entries(more)) payload[name] = { ...payload[name], ...value };
    payload.sender.login = sender;
    payload.repository.full_name = repo;
    const told = [...hooks.values()].filter(({ events }) => events.includes('*') || events.includes(event));
    return Promise.all(told.map((hook) => deliver(hook, event, payload)));
  }

  function add(item) {
    const made = { labels: [], comments: [], reviews: [], state: 'open', isPull: false, merged: false, ...item };
    state.issues.set(made.number, made);
    return made;
  }

  return {
    repo,
    state,
    commands: () => commands.map(({ words }) => words.join(' ')),
    /** The setting `transport.github` that names it. */
    account: { token: TOKEN, api_url: server.url },
    /** Puts an issue or pull request there, of which nobody is told. */
    add,
    /** Somebody opens an issue or pull request. What is left out is as it was recorded. */
    open(item) {
      const event = item.isPull ? 'pull_request' : 'issues';
      const recorded = JSON.parse(readFileSync(new URL(`${event}.opened.json`, payloads), 'utf8'));
      const { number, title, body } = recorded.issue ?? recorded.pull_request;
      return happen(event, 'opened', { item: add({ number, title, body, ...item }) });
    },
    happen,
  };
}
