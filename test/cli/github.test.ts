import { beforeEach, describe, expect, test } from 'vitest';
import { parseSince } from '../../src/cli/github.ts';
import { cli, connectOwner, startTestDaemon, type TestDaemon, waitFor } from '../support/daemon.ts';
import { issue } from '../support/github.ts';
import { type FakeGithub, startFakeGithub, TOKEN } from '../support/github-api.ts';

let fake: FakeGithub;
let daemon: TestDaemon;

beforeEach(async () => {
  fake = await startFakeGithub();
  daemon = await startTestDaemon();
});

const configure = (more: object = {}) =>
  daemon.settings.set('transport.github', { token: TOKEN, api_url: fake.url, ...more });
const run = (...words: string[]) => cli(['github', ...words, '--data-dir', daemon.dir, '--quiet']);
const events = (stream: string) => daemon.queries.events([stream], { limit: 100 });

async function stream(id: string, config: object = {}): Promise<void> {
  const owner = await connectOwner(daemon);
  const transport = { kind: 'github', config: { repo: 'acme/site', events: ['issues'], ...config } };
  await owner.call('create_stream', { id, name: id, transport });
  await owner.close();
}

/** The only webhook there is. */
const hook = () => {
  expect(fake.hooks.size).toBe(1);
  return [...fake.hooks.values()][0]!;
};

describe('connect', () => {
  test('makes the webhook with a secret of its own, and sees its ping arrive', async () => {
    configure();
    await stream('s-gh');
    const made = await run('connect', 'acme/site', '--stream', 's-gh');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(
      /^made webhook \d+ of acme\/site: issues → http:\/\/localhost:\d+\/github\/webhook; its ping arrived\n$/,
    );
    const { active, events: sent, config } = hook();
    const { webhook_secret: secret } = daemon.settings.account('transport.github') as { webhook_secret: string };
    expect(secret).toMatch(/^whsec_.{32}$/);
    expect(made.stdout).not.toContain(secret);
    expect({ active, sent, config }).toEqual({
      active: true,
      sent: ['issues'],
      config: {
        url: `http://localhost:${daemon.port}/github/webhook`,
        content_type: 'json',
        insecure_ssl: '0',
        secret,
      },
    });
    await fake.happen('issues', issue());
    expect(events('s-gh')).toHaveLength(1);
  });

  test('brings it up to date: events of all its Streams, a secret and an address that changed', async () => {
    configure({ webhook_secret: 'old' });
    await stream('s-gh');
    await run('connect', 'acme/site', '--stream', 's-gh');
    const { id } = hook();
    hook().config.url = 'https://old-tunnel.example/github/webhook';
    configure({ webhook_secret: 'new' });
    await stream('s-pr', { repo: 'ACME/*', events: ['push', 'pull_request'] });
    await stream('s-other', { repo: 'acme/other', events: ['star'] });
    const again = await run('connect', 'acme/site', '--stream', 's-pr', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      hook: id,
      made: false,
      events: ['issues', 'pull_request', 'push'],
    });
    expect(hook()).toMatchObject({
      id,
      events: ['issues', 'pull_request', 'push'],
      config: { secret: 'new', url: `http://localhost:${daemon.port}/github/webhook` },
    });
    await stream('s-all', { events: ['*'] });
    await run('connect', 'acme/site', '--stream', 's-all');
    expect(hook().events).toEqual(['*']);
  });

  test('takes over a webhook that was made by hand for the same address', async () => {
    configure({ webhook_secret: 's' });
    await stream('s-gh');
    const config = { url: `http://localhost:${daemon.port}/github/webhook`, content_type: 'form', insecure_ssl: '0' };
    fake.hooks.set(1, { id: 1, active: false, events: ['push'], config });
    fake.pageSize = 1;
    fake.hooks.set(2, { id: 2, active: true, events: [], config: { ...config, url: 'https://else.example/' } });
    expect(await run('connect', 'acme/site', '--stream', 's-gh')).toMatchObject({ code: 0 });
    expect(fake.hooks.get(1)).toMatchObject({ active: true, events: ['issues'], config: { content_type: 'json' } });
    expect(fake.hooks.size).toBe(2);
  });

  type Refusing = NonNullable<FakeGithub['refuse']>;
  const refuse = (how: ReturnType<Refusing> | Refusing) => {
    fake.refuse = typeof how === 'function' ? how : () => how;
  };
  const unusable = { message: 'Validation Failed', errors: [{ message: 'url is not supported' }] };

  test.each<[string, () => void, RegExp]>([
    [
      '401',
      () => configure({ token: 'gone' }),
      /^GitHub does not know the token in transport.github any more; set another.*Bad credentials/,
    ],
    [
      '403',
      () => refuse({ status: 403, body: { message: 'Resource not accessible by personal access token' } }),
      /^The token may not manage the webhooks of acme\/site; it needs admin:repo_hook .*not accessible/,
    ],
    [
      '403 for too many requests',
      () => refuse({ status: 403, headers: { 'x-ratelimit-remaining': '0' } }),
      /^GitHub takes no more requests from this token for now/,
    ],
    [
      '404',
      () => refuse({ status: 404 }),
      /^GitHub shows this token no webhooks of acme\/site: the name is wrong, or the token lacks admin:repo_hook/,
    ],
    [
      '422',
      () => refuse((request) => (request.startsWith('POST') ? { status: 422, body: unusable } : undefined)),
      /^GitHub answered POST \/repos\/acme\/site\/hooks with 422. GitHub says: Validation Failed: url is not supported$/,
    ],
    ['no JSON', () => configure({ api_url: `${daemon.url}/healthz?` }), /no JSON; is transport.github.api_url right/],
    [
      'nobody there',
      () => configure({ api_url: 'http://127.0.0.1:1' }),
      /^GitHub cannot be reached at http:\/\/127.0.0.1:1: (ECONNREFUSED|bad port)\.$/,
    ],
    [
      'a ping that does not get through',
      () => {
        fake.isCutOff = true;
      },
      /^The webhook is set, but GitHub's ping did not reach http:.*: failed to connect to host\.$/,
    ],
  ])('says what is wrong and what to do: %s', async (_name, prepare, sentence) => {
    configure();
    await stream('s-gh');
    prepare();
    const { code, stderr, stdout } = await run('connect', 'acme/site', '--stream', 's-gh');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim()).toMatch(sentence);
    expect(stderr).not.toContain(TOKEN);
  });

  test('refuses what cannot work before it asks GitHub for anything', async () => {
    await stream('s-gh');
    const refusal = async (...words: string[]) => (await run(...words)).stderr.trim();
    expect(await refusal('connect', 'acme/site', '--stream', 's-gh')).toMatch(
      /^There is no token for GitHub\. .* config set transport.github/,
    );
    configure();
    expect(await refusal('connect', 'site', '--stream', 's-gh')).toBe('"site" is no repository; write owner/name.');
    expect(await refusal('connect', 'acme/..', '--stream', 's-gh')).toContain('is no repository');
    expect(await refusal('connect', 'acme/site', '--stream', 's-hg')).toContain('did you mean s-gh?');
    expect(await refusal('connect', 'acme/site', '--stream', 's-notices')).toContain('is a local Stream');
    expect(await refusal('connect', 'acme/other', '--stream', 's-gh')).toBe(
      'Stream s-gh listens to acme/site, not to acme/other.',
    );
    daemon.settings.set('transport.github', { token: TOKEN });
    expect(await refusal('connect', 'acme/site', '--stream', 's-gh')).toMatch(
      /^GitHub cannot reach http:\/\/localhost:\d+\. Start `helix-org serve` with --public-url/,
    );
    await daemon.stop();
    expect(await refusal('connect', 'acme/site', '--stream', 's-gh')).toMatch(
      /^No daemon runs that GitHub could send to/,
    );
    expect(fake.requests).toEqual([]);
  });

  test('needs to be told the Stream', async () => {
    expect(await run('connect', 'acme/site')).toMatchObject({ code: 2, stderr: expect.stringContaining('--stream') });
  });
});

describe('redeliver', () => {
  beforeEach(async () => {
    configure();
    await stream('s-gh', { events: ['*'] });
    await run('connect', 'acme/site', '--stream', 's-gh');
  });

  test('asks for what did not arrive, oldest first, once each; nothing lands twice', async () => {
    await fake.happen('issues', issue({ n: 0 }));
    fake.isCutOff = true;
    for (let n = 1; n <= 5; n++) await fake.happen('issues', issue({ n }));
    fake.isCutOff = false;
    await fake.happen('issues', issue({ n: 6 }));
    fake.pageSize = 3;
    const asked = await run('redeliver', 'acme/site');
    expect(asked.stdout).toMatch(/^5 will be sent again; 2 since .* had arrived\n$/);
    const arrived = () =>
      events('s-gh')
        .map(({ message }) => (message!.extra as { n: number }).n)
        .reverse();
    await waitFor('all of them have landed', () => arrived().length === 7);
    expect(arrived()).toEqual([0, 6, 1, 2, 3, 4, 5]);
    expect((await run('redeliver', 'acme/site')).stdout).toMatch(/^nothing is missing; 7 since/);
    expect(arrived()).toHaveLength(7);
  });

  test('goes back as far as it is told, and no further than GitHub does', async () => {
    const happened = async (hoursAgo: number) => {
      fake.now = () => Date.now() - hoursAgo * 3_600_000;
      await fake.happen('issues', issue({ n: hoursAgo }));
    };
    fake.isCutOff = true;
    for (const hours of [100, 50, 5]) await happened(hours);
    fake.isCutOff = false;
    const asked = async (...since: string[]) =>
      JSON.parse((await run('redeliver', 'acme/site', '--json', ...since)).stdout);
    expect(await asked('--since', '4h')).toMatchObject({ asked: 0 });
    expect(await asked('--since', '6h')).toMatchObject({ asked: 1 });
    await waitFor('it has landed', () => events('s-gh').length === 1);
    expect(await asked()).toMatchObject({ asked: 1 });
    await waitFor('it has landed', () => events('s-gh').length === 2);
    expect(await run('redeliver', 'acme/site', '--since', 'yesterday')).toMatchObject({ code: 2 });
  });

  test('of a repository that is not connected says so', async () => {
    fake.hooks.clear();
    expect((await run('redeliver', 'acme/site')).stderr).toMatch(
      /^acme\/site has no webhook that sends to http.*`helix-org github connect` makes one\.\n$/,
    );
  });
});

test('disconnect removes the webhook and leaves the Stream', async () => {
  configure();
  await stream('s-gh');
  await run('connect', 'acme/site', '--stream', 's-gh');
  fake.hooks.set(99, {
    id: 99,
    active: true,
    events: [],
    config: { url: 'https://else.example/', content_type: 'json', insecure_ssl: '0' },
  });
  expect((await run('disconnect', 'acme/site')).stdout).toMatch(/^removed webhook \d+ of acme\/site\n$/);
  expect([...fake.hooks.keys()]).toEqual([99]);
  expect((await run('disconnect', 'acme/site')).code).toBe(1);
  expect(daemon.queries.stream('s-gh')).toMatchObject({ deletedAt: null });
});

test('A30: config get transport.github shows neither token nor secret unless asked', async () => {
  configure({ webhook_secret: 'hush' });
  const get = async (...more: string[]) =>
    (await cli(['config', 'get', 'transport.github', '--data-dir', daemon.dir, '--quiet', ...more])).stdout;
  expect(await get()).toBe(`transport.github = {"webhook_secret":"...","token":"...","api_url":"${fake.url}"}\n`);
  expect(await get('--reveal-secrets')).toContain(`"webhook_secret":"hush","token":"${TOKEN}"`);
});

test('a time is how long ago, or a moment', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  expect(parseSince('6h', now)).toBe('2026-11-21T06:00:00.000Z');
  expect(parseSince('2026-11-20T08:00Z', now)).toBe('2026-11-20T08:00:00.000Z');
  for (const wrong of ['', '6', 'soon', '-1h']) expect(() => parseSince(wrong, now)).toThrow('Write how long ago');
});
