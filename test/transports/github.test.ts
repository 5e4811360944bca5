import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrgError } from '../../src/domain/errors.ts';
import { decodeMessage } from '../../src/domain/message.ts';
import { transportInfo } from '../../src/http/transport-info.ts';
import { transports } from '../../src/transports/catalog.ts';
import { github } from '../../src/transports/github.ts';
import { GITHUB_EVENTS } from '../../src/transports/github-events.ts';
import type { GithubConfig } from '../../src/transports/github-filter.ts';
import type { RawRequest } from '../../src/transports/transport.ts';
import { delivery, issue, recorded, type SentDelivery, WEBHOOK_SECRET } from '../support/github.ts';

const ACCOUNT = { webhook_secret: WEBHOOK_SECRET };

function request(sent: SentDelivery): RawRequest {
  const { bytes, headers } = delivery(sent);
  return { method: 'POST', path: '/github/webhook', query: '', headers, body: bytes, at: new Date() };
}

/** What lands on one Stream. */
function receive(sent: SentDelivery, config: Partial<GithubConfig> = {}) {
  const stream = { id: 's-gh', config: { repo: 'acme/site', events: ['*'], ...config }, secrets: [] };
  const [inbound] = github.receive.handle(request(sent), [stream], ACCOUNT);
  const bytes = inbound?.content.find(({ name }) => name === 'message')?.bytes;
  return bytes && decodeMessage(bytes);
}

const lands = (event: string, payload: object, config: Partial<GithubConfig>) =>
  receive({ event, body: { repository: { full_name: 'acme/site' }, ...payload } }, config) !== undefined;

describe('A163: the text of', () => {
  const payload = issue({
    comment: { body: 'the comment' },
    review: { body: 'the review' },
    pull_request: { number: 9, title: 'A change', body: 'the pull request' },
    discussion: { title: 'A question', number: 11, body: 'the discussion' },
  });
  test.each([
    ['issue_comment', 'the comment'],
    ['pull_request_review_comment', 'the comment'],
    ['pull_request_review', 'the review'],
    ['pull_request', 'the pull request'],
    ['issues', 'Every time.'],
    ['discussion', 'the discussion'],
    ['discussion_comment', 'the comment'],
    ['milestone', undefined],
  ])('%s is %s', (event, body) => {
    expect(receive({ event, body: payload })?.body).toBe(body);
  });
});

test('A164: a payload with a pull request and an issue takes the title and number of the pull request', () => {
  const body = issue({ pull_request: { number: 9, title: 'A change' } });
  expect(receive({ event: 'pull_request_review', body })).toMatchObject({ subject: 'A change', thread_id: '#9' });
  expect(receive({ body: { ...body, number: 8 } })).toMatchObject({ thread_id: '#8' });
});

describe('a push', () => {
  const repository = { full_name: 'acme/site' };
  const commit = (n: number, message = `Change ${n}`) => ({ id: `${n}`.repeat(40), message, author: { name: 'Ana' } });
  test('says how many commits went where', () => {
    const commits = [commit(1), commit(2, 'Mend it\n\nIt was broken.')];
    const body = { ref: 'refs/heads/main', commits, head_commit: commits[1], repository, compare: 'https://c.example' };
    expect(receive({ event: 'push', body })).toMatchObject({
      subject: 'pushed 2 commits to main: Mend it',
      body: '1111111 Change 1 (Ana)\n2222222 Mend it (Ana)\nhttps://c.example',
      thread_id: 'refs/heads/main',
    });
  });
  test('of many commits names 50', () => {
    const commits = Array.from({ length: 60 }, (_, n) => commit(n));
    const shown = receive({ event: 'push', body: { ref: 'refs/heads/main', commits, forced: true, repository } });
    expect(shown?.subject).toMatch(/^force-pushed 60 commits to main/);
    expect(shown?.body?.split('\n')).toHaveLength(51);
    expect(shown?.body).toMatch(/and 10 more$/);
  });
  test('of an account that left names who pushed', () => {
    const body = { ref: 'refs/heads/main', pusher: { name: 'ana' }, repository };
    expect(receive({ event: 'push', body })?.from).toBe('ana');
  });
});

test('every recorded payload has a subject', () => {
  for (const { event, payload } of recorded) {
    const body = { ...payload, repository: { full_name: 'acme/site' } };
    const message = receive({ event: event === 'ping' ? 'meta' : event, body });
    expect(message?.subject?.trim(), event).toBeTruthy();
    expect(message?.subject, event).not.toMatch(/undefined|\[object|[\r\n]/);
  }
});

describe('the filter', () => {
  test.each<[string, string, object, Partial<GithubConfig>, boolean]>([
    ['takes a listed action', 'issues', { action: 'opened' }, { actions: ['opened'] }, true],
    ['keeps out another action', 'issues', { action: 'closed' }, { actions: ['opened'] }, false],
    ['takes an action of one event', 'issues', { action: 'opened' }, { actions: ['issues.opened'] }, true],
    ['keeps out that of another', 'pull_request', { action: 'opened' }, { actions: ['issues.opened'] }, false],
    ['lets through what has no action', 'push', { ref: 'refs/heads/main' }, { actions: ['opened'] }, true],
    ['takes a branch', 'push', { ref: 'refs/heads/main' }, { branches: ['main'] }, true],
    ['takes a branch by pattern', 'push', { ref: 'refs/heads/release/2' }, { branches: ['release/*'] }, true],
    ['keeps out another branch', 'push', { ref: 'refs/heads/dev' }, { branches: ['main'] }, false],
    ['keeps out a tag', 'push', { ref: 'refs/tags/main' }, { branches: ['main'] }, false],
    ['keeps out a branch', 'push', { ref: 'refs/heads/wip/x' }, { branches: ['!wip/*'] }, false],
    ['takes others', 'push', { ref: 'refs/heads/x' }, { branches: ['!wip/*'] }, true],
    [
      'takes a pull request’s base',
      'pull_request',
      { pull_request: { base: { ref: 'main' } } },
      { branches: ['main'] },
      true,
    ],
    [
      'not its head',
      'pull_request',
      { pull_request: { base: { ref: 'x' }, head: { ref: 'main' } } },
      { branches: ['main'] },
      false,
    ],
    ['takes a run’s branch', 'workflow_run', { workflow_run: { head_branch: 'main' } }, { branches: ['main'] }, true],
    ['takes a status’ branch', 'status', { branches: [{ name: 'a' }, { name: 'main' }] }, { branches: ['main'] }, true],
    ['lets through what has no branch', 'issues', { issue: {} }, { branches: ['main'] }, true],
    ['takes a label', 'issues', { issue: { labels: [{ name: 'a' }, { name: 'Docs' }] } }, { labels: ['docs'] }, true],
    ['takes the label put on', 'issues', { issue: {}, label: { name: 'docs' } }, { labels: ['docs'] }, true],
    ['keeps out other labels', 'issues', { issue: { labels: [{ name: 'a' }] } }, { labels: ['docs'] }, false],
    ['keeps out what has no label', 'issues', { issue: { labels: [] } }, { labels: ['docs'] }, false],
    ['lets through what cannot have one', 'star', {}, { labels: ['docs'] }, true],
    ['takes a sender', 'star', { sender: { login: 'Ana' } }, { senders: ['ana', 'bob'] }, true],
    ['keeps out others', 'star', { sender: { login: 'eve' } }, { senders: ['ana'] }, false],
    ['keeps out a sender', 'star', { sender: { login: 'ci[bot]' } }, { senders: ['!*[bot]'] }, false],
    [
      'asks for all of them',
      'issues',
      { action: 'opened', sender: { login: 'eve' } },
      { actions: ['opened'], senders: ['ana'] },
      false,
    ],
  ])('%s', (_name, event, payload, config, expected) => {
    expect(lands(event, payload, config)).toBe(expected);
  });
});

describe('A72: the config', () => {
  const check = (config: Record<string, unknown>) =>
    transportInfo(
      transports.get('github')!,
      () => '',
      () => undefined,
    ).checkConfig(config);
  const whole = { repo: 'acme/site', events: ['issues'] };

  test('of a repository and its events is taken, with or without filters', () => {
    expect(check(whole)).toEqual(whole);
    const all = { ...whole, actions: ['opened'], branches: ['main'], labels: ['docs'], senders: ['!bot'] };
    expect(check(all)).toEqual(all);
    expect(check({ repo: 'a/b', events: [...GITHUB_EVENTS, '*'] })).toMatchObject({ repo: 'a/b' });
  });

  test.each<[Record<string, unknown>, string | RegExp]>([
    [{}, 'github transport: repo is required'],
    [{ repo: '', events: ['issues'] }, 'github transport: repo is required'],
    [{ repo: 5, events: ['issues'] }, 'github transport: repo is required'],
    ...['site', 'a/b/c', '/b', 'a/', 'a /b'].map((repo): [Record<string, unknown>, string] => [
      { repo, events: ['issues'] },
      `github transport: repo "${repo}" must be of the form owner/name`,
    ]),
    [{ repo: 'a/b' }, 'github transport: events whitelist is required and must be non-empty'],
    [{ repo: 'a/b', events: [] }, 'github transport: events whitelist is required and must be non-empty'],
    [
      { repo: 'a/b', events: ['nope'] },
      /^github transport: unknown event "nope" \(supported: .*issue_comment, .*issues, .*pull_request, pull_request_review, pull_request_review_comment, /,
    ],
    [{ repo: 'a/b', events: 'issues' }, /^parse github config: events must be a list/],
    [{ repo: 'a/b', events: [1] }, /^parse github config: events must be a list of texts/],
    [
      { ...whole, branch: 'main' },
      'parse github config: there is no "branch" (valid: repo, events, actions, branches, labels, senders)',
    ],
    [{ ...whole, branches: 'main' }, /^parse github config: branches must be a list/],
    [{ ...whole, labels: [] }, 'github transport: labels must not be empty; leave it out to take all'],
    [{ ...whole, senders: [''] }, 'github transport: senders has an empty pattern'],
  ])('%j is refused', (config, sentence) => {
    expect(() => check(config)).toThrow(OrgError);
    expect(() => check(config)).toThrow(sentence);
  });
});

describe('A30: the setting', () => {
  const parse = (value: unknown) => github.account.schema.safeParse(value);
  test('needs the webhook’s secret only', () => {
    expect(parse({ webhook_secret: 's' }).success).toBe(true);
    expect(parse({ webhook_secret: 's', token: 't', api_url: 'https://ghe.example/api/v3' }).success).toBe(true);
    for (const wrong of [
      {},
      { webhook_secret: '' },
      { webhook_secret: 's', token: '' },
      { webhook_secret: 's', x: 1 },
      { webhook_secret: 's', api_url: 'ftp://x' },
    ])
      expect(parse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });
  test('never shows its secret or its token', () => {
    expect(github.account.secret).toEqual(expect.arrayContaining(['webhook_secret', 'token']));
  });
});

describe('whatever comes', () => {
  const stream = {
    id: 's-gh',
    config: { repo: '*/*', events: ['*'], actions: ['*'], branches: ['*'], labels: ['*'], senders: ['*'] },
    secrets: [],
  };
  /** Lands, is declined, or is refused by a sentence. */
  function survives(sent: SentDelivery): void {
    try {
      const [inbound] = github.receive.handle(request(sent), [stream], ACCOUNT);
      const bytes = inbound?.content.find(({ name }) => name === 'message')?.bytes;
      if (bytes) expect(decodeMessage(bytes)).toBeDefined();
    } catch (error) {
      if (!(error instanceof OrgError)) throw error;
      expect(error.code).toBe('invalid');
    }
  }

  test('as bytes, it is read or refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (body) => survives({ body })));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (body, type) =>
        survives({ body, headers: { 'content-type': type } }),
      ),
    );
    fc.assert(fc.property(fc.json(), fc.string(), (body, event) => survives({ body, event })));
  });

  test('as a recorded payload with anything in any place, it is read', () => {
    const junk = fc.oneof(fc.jsonValue(), fc.constantFrom(null, [], {}, [null], 1e308, -0, '\ud800', '__proto__'));
    const paths = recorded.map(({ payload }) => Object.keys(payload));
    fc.assert(
      fc.property(fc.nat(recorded.length - 1), fc.nat(), fc.nat(), junk, junk, (n, at, below, value, deeper) => {
        const { event, payload } = structuredClone(recorded[n]!);
        payload.repository = { full_name: 'acme/site' };
        const key = paths[n]![at % paths[n]!.length]!;
        const object = payload[key];
        if (typeof object === 'object' && object !== null) {
          const inner = Object.keys(object);
          (object as Record<string, unknown>)[inner[below % Math.max(1, inner.length)] ?? 'x'] = deeper;
          survives({ event, body: payload });
        }
        payload[key] = value;
        survives({ event, body: payload });
      }),
      { numRuns: 3_000 },
    );
  });

  test.each(['constructor', 'to_string', '__proto__', 'hasownproperty'])(
    'an event named %s is one like any other',
    (event) => {
      survives({ event, body: issue() });
    },
  );

  test('without an event’s name it is refused', () => {
    expect(() => receive({ event: '', body: issue() })).toThrow('X-GitHub-Event is missing or names no event');
    expect(() => receive({ id: 'x'.repeat(256), body: issue() })).toThrow('X-GitHub-Delivery is longer than 255');
  });
});

test('a payload too large to read at once keeps its small fields, says what is left out, and is kept whole', async () => {
  const { gunzipSync } = await import('node:zlib');
  const commits = Array.from({ length: 20_000 }, (_, n) => ({ id: String(n).repeat(8), message: `Change ${n}` }));
  const body = { repository: { full_name: 'acme/site', note: 'x'.repeat(700_000) }, ref: 'refs/heads/main', commits };
  const sent = request({ event: 'push', body });
  const stream = { id: 's-gh', config: { repo: 'acme/site', events: ['*'] }, secrets: [] };
  const [inbound] = github.receive.handle(sent, [stream], ACCOUNT);
  const parts = new Map(inbound?.content.map(({ name, bytes }) => [name, bytes]));
  const message = decodeMessage(parts.get('message')!);
  expect(message).toMatchObject({
    subject: expect.stringMatching(/^pushed 20000 commits/),
    extra: {
      event: 'push',
      ref: 'refs/heads/main',
      repository: { full_name: 'acme/site' },
      omitted: ['commits', 'see the part raw.gz'],
    },
  });
  expect(parts.get('message')!.length).toBeLessThan(1_048_576);
  expect(gunzipSync(parts.get('raw.gz')!).equals(sent.body)).toBe(true);
});
