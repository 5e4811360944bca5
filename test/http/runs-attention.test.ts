// The pages of runs and of what waits for a person: who sees what, that the number in the frame is that of the page, and that
// nothing an agent or a stranger writes becomes markup.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

const NASTY = `</pre></script><script>alert(1)</script><img src=x onerror=alert(2)>" onfocus="alert(3)" <%= it %>`;

let daemon: TestDaemon;
const sessions = new Map<string, string>();

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-echo', { grants: ['publish'] });
  await daemon.hire('w-ann', { kind: 'human', grants: ['publish', 'release', 'retry'] });
  await daemon.call('create_stream', { id: 's-desk', name: 'Desk' });
  await daemon.call('invite_workers', { streamId: 's-desk', workerIds: ['w-echo'] });
  await daemon.call('create_stream', {
    id: 's-out',
    name: 'Out',
    transport: { kind: 'webhook', config: { outbound_url: 'https://partners.example/in' } },
    hold: true,
  });
});
afterAll(() => daemon.close());

function cookieOf(workerId: string): string {
  const known = sessions.get(workerId) ?? daemon.core.tokens.create({ workerId, kind: 'session', label: 'test' }).token;
  sessions.set(workerId, known);
  return `helix_session=${known}`;
}

async function get(url: string, { workerId = 'w-owner', isFragment = false } = {}) {
  const headers = { host: 'localhost', cookie: cookieOf(workerId), ...(isFragment ? { 'hx-request': 'true' } : {}) };
  const response = await daemon.app.inject({ url, headers });
  return { status: response.statusCode, html: response.body };
}

async function send(path: string, fields: Record<string, string>, workerId = 'w-owner') {
  const csrf = /name="csrf" value="([^"]+)"/.exec((await get('/ui/settings', { workerId })).html)?.[1] ?? '';
  const response = await daemon.app.inject({
    method: 'POST',
    url: path,
    headers: {
      host: 'localhost',
      origin: 'http://localhost',
      cookie: cookieOf(workerId),
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: new URLSearchParams({ csrf, ...fields }).toString(),
  });
  return { status: response.statusCode, next: (await get('/ui/attention', { workerId })).html };
}

/** The number in the frame. */
const counted = (html: string): number => Number(/class="needs some"[^>]*><strong>(\d+)/.exec(html)?.[1] ?? 0);
const mattersOn = (html: string): number => html.match(/<li id="m-/g)?.length ?? 0;

let runs = 0;

/** A run of w-echo, started for an Event; its number is in its id. */
async function begin(triggers: number[], attempt = 1): Promise<string> {
  const activationId = `a-00000000-0000-4000-8000-${String(++runs).padStart(12, '0')}`;
  await daemon.core.journal.commit('system', {
    type: 'StartActivation',
    activationId,
    workerId: 'w-echo',
    triggers,
    attempt,
    agent: { kind: 'claude', version: '9.8.7', model: 'claude-large' },
    ranWith: { roles: [], identity: 0, grants: 0 },
    content: [{ name: 'prompt', bytes: Buffer.from(`You were told: ${NASTY}`) }],
  });
  return activationId;
}

async function end(activationId: string, outcome: 'done' | 'failed', { exit = 'ok', parked = [] as number[] } = {}) {
  await daemon.core.journal.commit('system', {
    type: 'EndActivation',
    activationId,
    workerId: 'w-echo',
    outcome,
    exit,
    throughSeq: daemon.core.journal.lastSeq,
    settled: [],
    parked,
    open: null,
    published: 0,
    changed: 0,
    usage: { costUsd: 0.25, inputTokens: 12_000, outputTokens: 345 },
  });
}

async function publish(body: string, streamId = 's-desk') {
  const { id } = await daemon.call('publish', { streamId, body });
  return { id: String(id), seq: daemon.core.queries.event(String(id))?.seq ?? 0 };
}

const say = (activationId: string, body: string, extra?: unknown) =>
  daemon.core.journal.transcribe([
    { worker: 'w-echo', activationId, at: new Date().toISOString(), body, ...(extra === undefined ? {} : { extra }) },
  ]);

describe('one activation', () => {
  test('shows what woke it, its prompt, calls with their results, what it ran with, cost and both attempts', async () => {
    const { seq } = await publish('the bridge');
    const first = await begin([seq]);
    await end(first, 'failed', { exit: 'exit code 3' });
    const second = await begin([seq], 2);
    say(second, 'tool_use publish: {}', { tool_use: { id: 't1', name: 'publish', input: { body: 'hello desk' } } });
    say(second, 'tool_result: done', {
      tool_result: { id: 't1', name: 'publish', isError: false, content: 'it is out' },
    });
    await end(second, 'done');
    const { status, html } = await get(`/ui/activations/${second}`);
    expect(status).toBe(200);
    for (const text of ['the bridge', 'You were told:', 'claude · 9.8.7 · claude-large', '$0.25', '12,000 in, 345 out'])
      expect(html).toContain(text);
    expect(html).toContain(`href="/ui/activations/${first}"`);
    expect(html).toContain('exit code 3');
    const call = /<li id="l-\d+" class="call">([\s\S]*?)<\/li>/.exec(html)?.[1] ?? '';
    expect(call).toContain('hello desk');
    expect(call).toContain('it is out');
  });

  test('calls that an agent of one’s own prints are paired with their results too', async () => {
    const run = await begin([(await publish('printed')).seq]);
    say(run, 'tool_use look: {"at":"the desk"}');
    say(run, 'tool_result: it is tidy');
    say(run, 'tool_use shout: very loud');
    say(run, 'tool_result-error: nobody', { text: 'tool_result-error: nobody heard' });
    await end(run, 'done');
    const { html } = await get(`/ui/activations/${run}`);
    const calls = [...html.matchAll(/<li id="l-\d+" class="call">([\s\S]*?)<\/li>/g)].map(([, each]) => each);
    expect(calls).toHaveLength(2);
    expect(calls[0]).toMatch(/at: the desk[\s\S]*it is tidy/);
    expect(calls[1]).toMatch(/very loud[\s\S]*nobody heard/);
  });

  test('a result that comes later finds its call, and a fragment brings only what is new', async () => {
    const run = await begin([(await publish('late')).seq]);
    say(run, 'tool_use look: {}', { tool_use: { id: 't9', name: 'look', input: {} } });
    await publish('so that what was said is written');
    const page = await get(`/ui/activations/${run}`);
    const newer = (/hx-get="([^"]+lines\?after=\d+)"/.exec(page.html)?.[1] ?? '').replaceAll('&amp;', '&');
    const callSeq = /<li id="l-(\d+)" class="call"/.exec(page.html)?.[1];
    say(run, 'tool_result: seen', { tool_result: { id: 't9', isError: false, content: 'I have seen it' } });
    await end(run, 'done');
    const { html } = await get(newer, { isFragment: true });
    expect(html).toContain(`hx-target="#result-${callSeq}"`);
    expect(html).toContain('I have seen it');
    expect(html).not.toContain(`id="l-${callSeq}"`);
    expect(html).toContain('hx-trigger="live:transcript:w-echo from:body"');
  });

  test('nothing that an agent writes becomes markup', async () => {
    const run = await begin([(await publish(NASTY)).seq]);
    for (const prefix of ['', 'assistant: ', 'thinking: ', 'stderr: ', 'result: ', 'sub-agent assistant: '])
      say(run, prefix + NASTY, { text: NASTY });
    say(run, `tool_use ${NASTY}`, { tool_use: { id: NASTY, name: NASTY, input: { [NASTY]: NASTY } } });
    say(run, 'tool_result', {
      tool_result: { id: NASTY, name: NASTY, isError: true, content: [{ text: NASTY }, null, 7] },
    });
    say(run, 'tool_result', { tool_result: { id: {}, content: NASTY } });
    say(run, '--- session start ---', { model: NASTY, tools: [NASTY, {}], session: 3 });
    say(run, `=== exit: ${NASTY} ===`);
    await end(run, 'failed', { exit: NASTY });
    for (const path of [`/ui/activations/${run}`, `/ui/activations/${run}/lines?after=0`, '/ui/activations']) {
      const { status, html } = await get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(html).not.toMatch(/<script>|<img|<[^>]*onfocus="/);
    }
  });

  test('is for its Worker, who hired it, and the owner', async () => {
    const run = await begin([(await publish('secret work')).seq]);
    await end(run, 'done');
    expect((await get(`/ui/activations/${run}`, { workerId: 'w-ann' })).status).toBe(403);
    expect((await get(`/ui/activations/${run}/lines?after=0`, { workerId: 'w-ann' })).status).toBe(403);
    const list = await get('/ui/activations', { workerId: 'w-ann' });
    expect(list.html).not.toContain('secret work');
    expect((await get('/ui/activations')).html).toContain('secret work');
    expect((await get('/ui/activations/a-none')).status).toBe(404);
  });
});

describe('the list', () => {
  test('is filtered by state and Worker, and its pages hold each run once', async () => {
    const { seq } = await publish('again and again');
    for (let each = 0; each < 45; each++) await end(await begin([seq]), 'done');
    const seen: string[] = [];
    let path = '/ui/activations?state=done&worker=w-echo';
    for (let page = 0; path !== '' && page < 10; page++) {
      const { html } = await get(path, { isFragment: page > 0 });
      seen.push(...[...html.matchAll(/<li id="run-(a-[^"]+)"/g)].map(([, id = '']) => id));
      path = (/<li class="older"[^>]*><a href="([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&');
    }
    const all = daemon.core.queries.activationsOf('w-echo', 1_000).filter(({ state }) => state === 'done');
    expect(seen).toEqual(all.map(({ id }) => id));
    const failed = await get('/ui/activations?state=failed');
    expect(failed.html).toContain('exit code 3');
    expect(failed.html).not.toContain('again and again');
    expect((await get('/ui/activations?worker=w-nobody')).html).toContain('No run has ended yet');
  });

  test('tells the share of silent runs by Worker and Stream', async () => {
    const { html } = await get('/ui/activations/silent');
    expect(html).toMatch(/w-echo[\s\S]*?s-desk[\s\S]*?100 %/);
  });
});

describe('attention', () => {
  test('what expired is there, can be shown after all, and is gone from there then', async () => {
    const { id, seq } = await publish('yesterday’s question');
    const before = mattersOn((await get('/ui/attention')).html);
    const reason = 'it waited for 24 hours (dispatch.expire_hours)';
    await daemon.core.journal.commit('system', { type: 'ExpireTriggers', workerId: 'w-echo', triggers: [seq], reason });
    const { html } = await get('/ui/attention');
    expect(mattersOn(html)).toBe(before + 1);
    expect(counted(html)).toBe(before + 1);
    const row = /<li id="m-expired-w-echo-[\s\S]*?<\/li>/.exec(html)?.[0] ?? '';
    for (const text of [
      'Expired',
      'yesterday’s question',
      'It waited too long to wake w-echo',
      reason,
      'Show it after all',
    ])
      expect(row).toContain(text);
    expect((await get('/ui/attention', { workerId: 'w-ann' })).html).not.toContain('yesterday’s question');
    const { next } = await send('/ui/do/retry', { id, workerId: 'w-echo' });
    expect(next).not.toContain('m-expired-w-echo');
    expect(daemon.core.queries.asideOf(seq)).toMatchObject([{ state: 'requeued' }]);
  });

  test('says calmly that nothing needs anybody, and what would stand here', async () => {
    const fresh = await openTestDaemon();
    const { token } = fresh.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' });
    const { body } = await fresh.app.inject({
      url: '/ui/attention',
      headers: { host: 'localhost', cookie: `helix_session=${token}` },
    });
    await fresh.close();
    expect(body).toContain('Nothing needs you');
    expect(body).toContain('could not be delivered');
    expect(mattersOn(body)).toBe(0);
  });

  test('each thing has one sentence and its form, and the frame counts the same', async () => {
    const { seq } = await publish(`parked ${NASTY}`);
    await end(await begin([seq]), 'failed', { exit: NASTY, parked: [seq] });
    await daemon.core.journal.commit('system', {
      type: 'HoldTriggers',
      workerId: 'w-echo',
      triggers: [(await publish('held for echo')).seq],
      reason: NASTY,
    });
    await publish('leaves later', 's-out');
    await daemon.core.journal.commit('system', {
      type: 'HoldWork',
      hold: 'runs_per_hour:w-echo',
      workerId: 'w-echo',
      reason: 'w-echo has reached its limit of 2 runs an hour',
      notice: { subject: 'x', body: NASTY },
    });
    await daemon.call('pause_worker', { workerId: 'w-echo' });
    await daemon.call('pause_org');
    const { html } = await get('/ui/attention');
    expect(html).not.toMatch(/<script>|<img|<[^>]*onfocus="/);
    for (const text of [
      'Parked',
      'held for echo',
      'Waits to leave',
      'Over a limit',
      'w-echo is paused',
      'Everything is paused',
    ])
      expect(html).toContain(text);
    for (const action of ['retry', 'release', 'discard', 'resume_worker', 'resume_org'])
      expect(html).toContain(`action="/ui/do/${action}"`);
    expect(html).toContain('/ui/settings#dispatch-worker_runs_per_hour');
    expect(mattersOn(html)).toBe(6);
    expect(counted(html)).toBe(6);
    expect(counted((await get('/ui/frame')).html)).toBe(6);
    await daemon.call('resume_org');
    await daemon.call('resume_worker', { workerId: 'w-echo' });
    await daemon.core.journal.commit('system', { type: 'ResumeWork', hold: 'runs_per_hour:w-echo' });
    expect(counted((await get('/ui/attention')).html)).toBe(3);
  });

  test('shows a person only what they may read, with the buttons they hold', async () => {
    const { html } = await get('/ui/attention', { workerId: 'w-ann' });
    expect(html).toContain('leaves later');
    expect(html).toContain('action="/ui/do/release"');
    expect(html).not.toContain('action="/ui/do/discard"');
    expect(html).not.toContain('held for echo');
    expect(counted(html)).toBe(mattersOn(html));
  });

  test('a Stream is released as a whole, but not what came after the page was made', async () => {
    await publish('a second one', 's-out');
    const { html } = await get('/ui/attention');
    expect(html).toContain('Release all 2');
    const through =
      /name="scope" value="s-out"><input type="hidden" name="through" value="(\d+)"/.exec(html)?.[1] ?? '';
    await publish('a third one', 's-out');
    const form = { of: 'events', scope: 's-out', through };
    const { next } = await send('/ui/attention/all', { ...form, act: 'release' });
    expect(next).toContain('2 things of s-out were released.');
    expect(next).toContain('a third one');
    expect(next).not.toContain('a second one');
    expect((await send('/ui/attention/all', { ...form, act: 'fire_worker' })).next).toContain('out of date');
    const by = await send(
      '/ui/attention/all',
      { of: 'parked', scope: 'w-echo', act: 'retry', through: '999999' },
      'w-ann',
    );
    expect(by.next).toContain('0 things of w-echo');
  });

  test('a parked Event is tried again by its form', async () => {
    const { html } = await get('/ui/attention');
    const id = /action="\/ui\/do\/retry">[\s\S]*?name="id" value="(a-[^"]+)"/.exec(html)?.[1] ?? '';
    const { next } = await send('/ui/do/retry', { id, back: '/ui/attention' });
    expect(next).toContain('is tried again');
    expect(next).not.toContain('could not deal with it');
  });

  test('an agent that is logged out is said to be, with what to do', async () => {
    const checkAgent = async () => ({
      ok: false as const,
      problem: 'Claude is not logged in.',
      fix: 'Run claude /login.',
    });
    const out = await openTestDaemon({
      checkAgent,
      agentSeen: () => ({ ok: false, problem: 'Not logged in.', fix: 'Run `claude /login`.' }),
      stalled: () => ({ since: new Date().toISOString(), why: 'w-x waits' }),
    });
    const { token } = out.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' });
    const { body } = await out.app.inject({
      url: '/ui/attention',
      headers: { host: 'localhost', cookie: `helix_session=${token}` },
    });
    await out.close();
    expect(body).toContain('Run <code>claude /login</code>.');
    expect(body).toContain('Work waits and nothing moves');
    expect(counted(body)).toBe(2);
  });
});
