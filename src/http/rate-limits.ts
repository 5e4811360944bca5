// How much one address may ask for: deliveries, what needs no credential, and wrong credentials. Counts lie in memory, for
// the 5,000 addresses seen last; an IPv6 network of 64 bits counts as one address.
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Settings } from '../store/settings.ts';
import { cookieOf, SESSION_COOKIE } from './auth.ts';
import { type HostDeps, isSameHost, routeReach } from './host-guard.ts';
import { Refusal } from './refusal.ts';

export type RateLimitDeps = Pick<HostDeps, 'publicHost'> & { settings: Pick<Settings, 'get'> };

type Key = 'http.inbound_per_minute' | 'http.open_per_minute' | 'http.failures_per_minute';

/** What holds for other machines where nothing is set; this one may then do as much as it likes. */
const USUAL: Record<Key, number> = {
  'http.inbound_per_minute': 6_000,
  'http.open_per_minute': 600,
  'http.failures_per_minute': 30,
};
const WINDOW_MS = 60_000;
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'cf-connecting-ip', 'via'];

/** @throws Refusal 429 with Retry-After, before anything of the request is read */
export function limitRates(app: FastifyInstance, deps: RateLimitDeps): void {
  app.register(rateLimit, { global: false });
  const counter = (key: Key) =>
    app.createRateLimit({
      max: () => deps.settings.get(key) ?? USUAL[key],
      timeWindow: WINDOW_MS,
    });
  type Counter = ReturnType<typeof counter>;
  let counters: { deliveries: Counter; open: Counter; failures: Counter } | undefined;
  // Made at the first request, since the plugin is there only when the server is ready.
  const ready = () => {
    counters ??= {
      deliveries: counter('http.inbound_per_minute'),
      open: counter('http.open_per_minute'),
      failures: counter('http.failures_per_minute'),
    };
    return counters;
  };
  /** Where nothing is set, programs of this machine may do as much as they like. */
  const isCounted = (key: Key, request: FastifyRequest) => deps.settings.get(key) !== null || !isDirect(request, deps);
  app.addHook('onRequest', (request, _reply, done) => {
    const checks = checksOf(request);
    if (checks.length === 0) done();
    else inTurn(checks).then(() => done(), done);
  });
  app.addHook('onResponse', (request, { statusCode }, done) => {
    const isFailure = statusCode === 401 && isTry(request) && isCounted('http.failures_per_minute', request);
    if (isFailure)
      ready()
        .failures(request)
        .then(() => done(), done);
    else done();
  });

  function checksOf(request: FastifyRequest): (() => Promise<void>)[] {
    const reach = routeReach(request);
    if (reach === 'anywhere') return [];
    const checks: (() => Promise<void>)[] = [];
    if (reach === 'inbound' && isCounted('http.inbound_per_minute', request))
      checks.push(() => check(ready().deliveries, request));
    else if (reach === 'home' && isOpen(request) && isCounted('http.open_per_minute', request))
      checks.push(() => check(ready().open, request));
    if (isTry(request) && isCounted('http.failures_per_minute', request))
      checks.push(() => check(ready().failures, request, { increment: false }));
    return checks;
  }

  async function check(count: Counter, request: FastifyRequest, options?: { increment: boolean }): Promise<void> {
    const counted = await count(request, options);
    if (counted.isAllowed) return;
    // A look ahead refuses what would be one too many; a count refuses what was.
    const isOver = options?.increment === false ? counted.remaining === 0 : counted.isExceeded;
    if (!isOver) return;
    const seconds = Math.max(1, counted.ttlInSeconds);
    throw new Refusal(429, `Too many requests come from your address; try again in ${seconds} s.`, {
      'retry-after': String(seconds),
    });
  }
}

async function inTurn(checks: (() => Promise<void>)[]): Promise<void> {
  for (const check of checks) await check();
}

/** Without anything that could prove who it is. */
const isOpen = (request: FastifyRequest): boolean =>
  request.headers.authorization === undefined && cookieOf(request, SESSION_COOKIE) === undefined;

/** With something that may be a guess. */
const isTry = (request: FastifyRequest): boolean =>
  !isOpen(request) || (request.method === 'POST' && request.routeOptions.url === '/login');

/** From a program of this machine, with no proxy in between. */
function isDirect({ ip, headers }: FastifyRequest, { publicHost }: RateLimitDeps): boolean {
  if (!/^(127\.|::1$|::ffff:127\.)/.test(ip)) return false;
  return !FORWARDED.some((name) => headers[name] !== undefined) && !isSameHost(headers.host, publicHost());
}
