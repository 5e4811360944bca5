// The webhook of a repository on GitHub: makes it, tries it, asks again for what it missed, takes it away.
import { setTimeout as pause } from 'node:timers/promises';
import { conflict, invalid } from '../domain/errors.ts';
import { like } from '../domain/filter.ts';
import { requireStream } from '../domain/stream.ts';
import type { Journal } from '../store/journal.ts';
import type { Settings } from '../store/settings.ts';
import { type GithubAccount, github } from '../transports/github.ts';
import { createGithubApi, GITHUB_API_URL, type GithubApi } from '../transports/github-api.ts';
import { EVERY_EVENT } from '../transports/github-events.ts';
import type { GithubConfig } from '../transports/github-filter.ts';
import { makeSecret } from '../transports/webhook-signature.ts';

export type HookDeps = {
  journal: Pick<Journal, 'org'>;
  settings: Pick<Settings, 'account' | 'set' | 'secret' | 'setSecret' | 'deleteSecret'>;
  /** How GitHub reaches the daemon; absent while none runs. */
  publicUrl?: () => string;
  now(): Date;
  /** Between two looks at whether the ping has arrived. */
  pingPollMs?: number;
};

export type Connected = {
  repo: string;
  hook: number;
  url: string;
  events: string[];
  /** Whether the webhook is new on GitHub. */
  made: boolean;
};

export type Redelivered = {
  /** Deliveries that GitHub will send again. */
  asked: number;
  /** Deliveries since then that had arrived. */
  arrived: number;
  since: string;
};

/** GitHub's own view of a webhook and of a delivery. */
type Hook = { id: number; config?: { url?: string } };
type Delivery = { id: number; guid: string; delivered_at: string; status: string; status_code: number; event: string };

const PING_LOOKS = 15;
const PING_POLL_MS = 1_000;
/** GitHub sends nothing again that is older. */
const REDELIVERED_DAYS = 3;

/** @throws OrgError with what to do about it, whatever is missing */
export async function connectHook(
  deps: HookDeps,
  { repo, stream }: { repo: string; stream: string },
): Promise<Connected> {
  checkRepo(repo);
  checkStream(deps, repo, stream);
  const { api, secret, apiUrl } = access(deps, repo);
  const url = hookUrl(deps, apiUrl);
  const events = eventsOf(deps, repo);
  const known = await findHook(deps, api, { repo, url });
  const body = { active: true, events, config: { url, content_type: 'json', insecure_ssl: '0', secret: secret() } };
  const before = known ? await deliveriesOf(api, repo, known.id, () => true) : [];
  const { value: hook } = known
    ? await api.call<Hook>('PATCH', `/repos/${repo}/hooks/${known.id}`, body)
    : await api.call<Hook>('POST', `/repos/${repo}/hooks`, { name: 'web', ...body });
  deps.settings.setSecret(nameOf(repo), String(hook.id));
  // GitHub pings a new webhook by itself.
  if (known) await api.call('POST', `/repos/${repo}/hooks/${hook.id}/pings`);
  await pinged(deps, api, { repo, hook: hook.id, url, before: new Set(before.map(({ id }) => id)) });
  return { repo, hook: hook.id, url, events, made: !known };
}

export async function redeliver(
  deps: HookDeps,
  { repo, since }: { repo: string; since?: string },
): Promise<Redelivered> {
  checkRepo(repo);
  const { api, apiUrl } = access(deps, repo);
  const hook = await requireHook(deps, api, { repo, url: hookUrl(deps, apiUrl) });
  const oldest = deps.now().getTime() - REDELIVERED_DAYS * 86_400_000;
  const from = Math.max(oldest, since === undefined ? oldest : Date.parse(since));
  const isOld = ({ delivered_at: at }: Delivery) => Date.parse(at) < from;
  const all = await deliveriesOf(api, repo, hook.id, (read) => read.some(isOld));
  const recent = all.filter((delivery) => !isOld(delivery) && delivery.event !== 'ping');
  const arrived = new Set(recent.filter(hasArrived).map(({ guid }) => guid));
  // A redelivery has the guid of the first attempt; the newest attempt is asked for again. Oldest first, as they happened.
  const missing = new Map<string, Delivery>();
  for (const delivery of recent.reverse()) if (!arrived.has(delivery.guid)) missing.set(delivery.guid, delivery);
  for (const { id } of missing.values())
    await api.call('POST', `/repos/${repo}/hooks/${hook.id}/deliveries/${id}/attempts`);
  return { asked: missing.size, arrived: arrived.size, since: new Date(from).toISOString() };
}

export async function disconnectHook(
  deps: HookDeps,
  { repo }: { repo: string },
): Promise<{ repo: string; hook: number }> {
  checkRepo(repo);
  const { api, apiUrl } = access(deps, repo);
  const hook = await requireHook(deps, api, { repo, url: hookUrl(deps, apiUrl) });
  await api.call('DELETE', `/repos/${repo}/hooks/${hook.id}`);
  deps.settings.deleteSecret(nameOf(repo));
  return { repo, hook: hook.id };
}

function checkRepo(repo: string): void {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repo) || /(^|\/)\.\.?($|\/)/.test(repo))
    throw invalid(`${JSON.stringify(repo.slice(0, 100))} is no repository; write owner/name.`);
}

function checkStream({ journal: { org } }: HookDeps, repo: string, streamId: string): void {
  const { transport } = requireStream(org, streamId);
  const make = `{"kind": "github", "config": {"repo": "${repo}", "events": ["*"]}}`;
  if (transport.kind !== 'github')
    throw conflict(
      `Stream ${streamId} is a ${transport.kind} Stream; give it this transport with update_stream: ${make}`,
    );
  if (!isAbout(transport.config, repo))
    throw conflict(`Stream ${streamId} listens to ${(transport.config as GithubConfig).repo}, not to ${repo}.`);
}

const isAbout = (config: Record<string, unknown>, repo: string) => like((config as GithubConfig).repo, repo);

/** One webhook serves every Stream about the repository, so it sends what any of them wants. */
function eventsOf({ journal: { org } }: HookDeps, repo: string): string[] {
  const events = new Set<string>();
  for (const { transport, deletedAt } of org.streams.values()) {
    if (deletedAt !== null || transport.kind !== 'github' || !isAbout(transport.config, repo)) continue;
    for (const event of (transport.config as GithubConfig).events) events.add(event);
  }
  return events.has(EVERY_EVENT) ? [EVERY_EVENT] : [...events].sort();
}

function access({ settings }: HookDeps, repo: string) {
  const account = settings.account(github.account.key) as GithubAccount | undefined;
  if (!account?.token)
    throw conflict(
      `There is no token for GitHub. Make one that may manage the webhooks of ${repo}, then: ` +
        `helix-org config set transport.github '{"token": "…"}'`,
    );
  const { token, api_url: apiUrl = GITHUB_API_URL } = account;
  return {
    apiUrl,
    api: createGithubApi({ token, apiUrl }, repo),
    /** Made when there is none. */
    secret(): string {
      if (account.webhook_secret) return account.webhook_secret;
      const made = makeSecret();
      settings.set(github.account.key, { ...account, webhook_secret: made });
      return made;
    },
  };
}

function hookUrl({ publicUrl }: HookDeps, apiUrl: string): string {
  if (!publicUrl) throw conflict('No daemon runs that GitHub could send to; start one with `helix-org serve` first.');
  const base = publicUrl();
  const { hostname } = new URL(base);
  const isHere =
    /^(localhost|127\.|0\.0\.0\.0|\[::1?\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)|\.(local|localhost)$/.test(
      hostname,
    );
  // An Enterprise Server may stand in the same network.
  if (isHere && apiUrl === GITHUB_API_URL)
    throw conflict(
      `GitHub cannot reach ${base}. Start \`helix-org serve\` with --public-url https://…, the address under which the ` +
        'internet reaches this daemon, such as that of a tunnel.',
    );
  return `${base.replace(/\/$/, '')}${github.receive.path}`;
}

const nameOf = (repo: string) => `github.hook.${repo.toLowerCase()}`;

/** The one that was made last, also when the public URL is another by now; or one that sends to the same place. */
async function findHook({ settings }: HookDeps, api: GithubApi, { repo, url }: { repo: string; url: string }) {
  const hooks = await api.list<Hook>(`/repos/${repo}/hooks?per_page=100`);
  const known = Number(settings.secret(nameOf(repo)));
  return hooks.find(({ id }) => id === known) ?? hooks.find(({ config }) => config?.url === url);
}

async function requireHook(deps: HookDeps, api: GithubApi, where: { repo: string; url: string }): Promise<Hook> {
  const hook = await findHook(deps, api, where);
  if (!hook)
    throw conflict(`${where.repo} has no webhook that sends to ${where.url}; \`helix-org github connect\` makes one.`);
  return hook;
}

/** Newest first. */
const deliveriesOf = (api: GithubApi, repo: string, hook: number, isEnough: (read: Delivery[]) => boolean) =>
  api.list<Delivery>(`/repos/${repo}/hooks/${hook}/deliveries?per_page=100`, isEnough);

const hasArrived = ({ status_code: code }: Delivery) => code >= 200 && code < 300;

type Ping = { repo: string; hook: number; url: string; before: ReadonlySet<number> };

/** Resolves when the ping was answered. @throws OrgError conflict with what became of it */
async function pinged(deps: HookDeps, api: GithubApi, { repo, hook, url, before }: Ping): Promise<void> {
  for (let look = 0; look < PING_LOOKS; look++) {
    const deliveries = await deliveriesOf(api, repo, hook, () => true);
    const ping = deliveries.find(({ id, event }) => event === 'ping' && !before.has(id));
    if (ping && hasArrived(ping)) return;
    if (ping && ping.status_code !== 0)
      throw conflict(
        `The webhook is set, but GitHub's ping to ${url} was answered with ${ping.status_code}${adviceFor(ping.status_code)}`,
      );
    if (ping?.status && ping.status_code === 0 && !/pending|queued/i.test(ping.status))
      throw conflict(`The webhook is set, but GitHub's ping did not reach ${url}: ${ping.status}.`);
    await pause(deps.pingPollMs ?? PING_POLL_MS);
  }
  throw conflict(`The webhook is set, but GitHub's ping has not arrived at ${url} yet; run connect again to try it.`);
}

function adviceFor(status: number): string {
  if (status === 401) return ': is the daemon at that address this one? Its webhook_secret is another.';
  if (status === 404) return ': nothing listens there; does the public URL lead to this daemon?';
  if (status === 421 || status === 403)
    return ': the daemon does not answer under that name; give it to serve as --public-url.';
  return ': does the public URL lead to this daemon?';
}
