// Pages of Streams and Events as they are answered: who sees what, what came of Events, and what strangers cannot do to them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';
import { ACCOUNT, mailTo, postMail } from '../support/mail.ts';

const NASTY = `"><script>alert(1)</script><img src=x onerror=alert(2)>' onfocus='alert(3) <%= it %>`;

let daemon: TestDaemon;
const sessions = new Map<string, string>();
beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-sam', { grants: ['publish', 'dm'] });
  await daemon.hire('w-ann', { kind: 'human', grants: ['publish'] });
  await daemon.call('create_stream', { id: 's-desk', name: 'Desk' });
  await daemon.call('create_stream', { id: 's-secret', name: 'Secret', private: true });
  await daemon.call('create_stream', { id: 's-in', name: 'In', transport: 'webhook' });
  await daemon.call('create_stream', { id: 's-quiet', name: 'Quiet' });
  await daemon.call('invite_workers', { streamId: 's-desk', workerIds: ['w-sam'] });
});
afterAll(() => daemon.close());

function cookieOf(workerId: string): string {
  const known = sessions.get(workerId);
  if (known) return known;
  const { token } = daemon.core.tokens.create({ workerId, kind: 'session', label: 'test' });
  sessions.set(workerId, `helix_session=${token}`);
  return `helix_session=${token}`;
}

async function get(url: string, { workerId = 'w-owner', fragment = false } = {}) {
  const headers = { host: 'localhost', cookie: cookieOf(workerId), ...(fragment ? { 'hx-request': 'true' } : {}) };
  const { statusCode, body, headers: answered } = await daemon.app.inject({ url, headers });
  return { status: statusCode, html: body, headers: answered };
}

/** A form sent as a browser without scripts does; what the next page says, with entities undone. */
async function send(path: string, fields: Record<string, string>, workerId = 'w-owner') {
  const csrf = /name="csrf" value="([^"]+)"/.exec((await get('/ui/settings', { workerId })).html)?.[1] ?? '';
  const { statusCode, headers, body } = await daemon.app.inject({
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
  const location = String(headers.location ?? '');
  const next = location === '' ? body : (await get(location.split('#')[0] ?? '', { workerId })).html;
  return { status: statusCode, location, next, flash: textOf(/<p class="flash[^>]*>([^<]*)</.exec(next)?.[1]) };
}

const textOf = (html = '') =>
  html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');
const cards = (html: string): string[] =>
  [...html.matchAll(/<li class="card[^"]*" id="([^"]+)"/g)].map((match) => match[1] ?? '');
const publish = async (streamId: string, body: string, more: object = {}, workerId?: string) =>
  String((await daemon.call('publish', { streamId, body, ...more }, workerId)).id);
/** The last line of a card, as text. */
const outcomeOf = (html: string, id: string): string => {
  const card = html.slice(html.indexOf(`id="${id}"`));
  return textOf(/<p class="outcome"[^>]*>([\s\S]*?)<\/p>/.exec(card)?.[1]?.replace(/<[^>]+>/g, '')).trim();
};

/** A run of w-sam that was woken by an Event, as far as it has come. */
async function run(trigger: string) {
  const { journal, queries } = daemon.core;
  const seq = queries.event(trigger)?.seq ?? 0;
  const activationId = `a-${crypto.randomUUID()}`;
  const cause = { causedBy: seq, root: seq, hops: 1, activationId };
  const started = {
    type: 'StartActivation' as const,
    ...{ activationId, workerId: 'w-sam', triggers: [seq], attempt: 1, agent: { kind: 'played' } },
    ...{ ranWith: { roles: [], identity: 0, grants: 0 }, content: [{ name: 'prompt', bytes: Buffer.from('p') }] },
  };
  await journal.commit('system', started as never, { via: 'system', cause });
  return {
    activationId,
    say: async (streamId: string, body: string) => {
      const caller = { workerId: 'w-sam', via: 'mcp' as const, cause };
      const said = await daemon.door.call(caller, 'publish', { streamId, body });
      return said.kind === 'ok' ? String(said.result.id) : JSON.stringify(said);
    },
    end: (published: number) =>
      journal.commit(
        'system',
        {
          type: 'EndActivation',
          ...{
            activationId,
            workerId: 'w-sam',
            outcome: 'done',
            exit: 'ok',
            throughSeq: seq,
            settled: [seq],
            parked: [],
          },
          ...{ open: null, published, changed: 0, usage: { costUsd: 0.031 } },
        } as never,
        { via: 'system', cause },
      ),
  };
}

describe('the list', () => {
  test('A189: without a Stream the 50 newest Events of all, and the older ones by a link; with one its members and form', async () => {
    for (let n = 0; n < 60; n++) await publish(n % 2 ? 's-quiet' : 's-secret', `n ${n}`);
    const { status, html } = await get('/ui/streams');
    expect([status, cards(html).length]).toEqual([200, 50]);
    expect(html).toContain('on <a href="/ui/streams?id=s-quiet">Quiet</a>');
    const older = textOf(/<a href="([^"]+)"[^>]*>Older</.exec(html)?.[1]);
    const page = await get(older);
    expect(cards(page.html).length).toBeGreaterThanOrEqual(10);
    expect(cards(page.html).some((id) => cards(html).includes(id))).toBe(false);
    expect(page.html).not.toContain('id="newer"');
    const part = await get(older, { fragment: true });
    expect(part.html).not.toContain('<html');
    expect(cards(part.html)).toEqual(cards(page.html));
    const one = await get('/ui/streams?id=s-desk');
    expect(one.html).toMatch(/aria-label="Members"><li class="chip"><a [^>]*>w-sam</);
    expect(one.html).toContain('<textarea class="words" name="body"');
    expect(one.html).toMatch(/Wakes\s+<strong>w-sam<\/strong>/);
  });

  test('A190: an unknown Stream is a page that says so, and so is one that somebody may not read', async () => {
    const unknown = await get('/ui/streams?id=s-nope');
    expect(unknown.status).toBe(200);
    expect(unknown.html).toMatch(/class="flash refused" role="alert">There is no Stream s-nope that you may read/);
    expect((await get('/ui/streams?id=s-secret', { workerId: 'w-ann' })).html).toContain(
      'There is no Stream s-secret that you may read',
    );
    expect((await get(`/ui/streams?id=${encodeURIComponent(NASTY)}`)).html).not.toContain('<script>alert');
  });

  test('nobody sees, finds or counts what they may not read', async () => {
    const secret = await publish('s-secret', 'the plan is plaice');
    const paths = [
      '/ui/streams',
      '/ui/streams?q=plaice',
      '/ui/streams?id=s-secret',
      '/ui/streams/newer?id=s-secret&after=1',
    ];
    for (const path of [
      ...paths,
      '/ui/streams/side',
      '/ui/streams/outcomes?id=s-secret&from=1',
      `/ui/events/${secret}`,
    ]) {
      const { html } = await get(path, { workerId: 'w-ann', fragment: /newer|outcomes|side/.test(path) });
      expect([path, html.replaceAll('s-secret that', '').includes('plan is'), html.includes('>Secret<')]).toEqual([
        path,
        false,
        false,
      ]);
      expect(cards(html).includes(secret)).toBe(false);
    }
    expect((await get(`/ui/events/${secret}`, { workerId: 'w-ann' })).status).toBe(404);
    expect((await get('/ui/streams?q=plaice')).html).toContain('<mark>plaice</mark>');
  });

  test('search shows where the words stand, in one Stream or all, and takes nothing for syntax', async () => {
    const id = await publish(
      's-quiet',
      `${'a long way before '.repeat(30)}the Turbot & "friends" ${'and after '.repeat(80)}`,
    );
    const { html } = await get('/ui/streams?id=s-quiet&q=turbot');
    expect(cards(html)).toEqual([id]);
    expect(html).toMatch(/…[^<]*<mark>Turbot<\/mark> &amp; &quot;friends&quot;/);
    expect(cards((await get('/ui/streams?id=s-in&q=turbot')).html)).toEqual([]);
    for (const q of ['"', 'a OR b', '*', 'NEAR(', '((', NASTY])
      expect((await get(`/ui/streams?q=${encodeURIComponent(q)}`)).status).toBe(200);
  });
});

describe('the last line of a card', () => {
  test('says why nobody woke, who waits, and what a run made of it', async () => {
    const [alone, waits, human] = [
      await publish('s-quiet', 'hello?'),
      await publish('s-desk', 'please'),
      await publish('s-notices', 'x').catch(() => ''),
    ];
    expect(human).toBe('');
    expect(outcomeOf((await get('/ui/streams?id=s-quiet')).html, alone)).toBe('nobody listened');
    expect(outcomeOf((await get('/ui/streams?id=s-desk')).html, waits)).toBe('waits for w-sam');
    await daemon.call('pause_worker', { workerId: 'w-sam' });
    expect(outcomeOf((await get('/ui/streams?id=s-desk')).html, waits)).toMatch(/^waits for w-sam: .*paused/);
    await daemon.call('resume_worker', { workerId: 'w-sam' });
    await daemon.call('invite_workers', { streamId: 's-secret', workerIds: ['w-sam'] });
    const sam = await run(waits);
    expect(outcomeOf((await get('/ui/streams?id=s-desk')).html, waits)).toMatch(
      /^woke w-sam, at work since \d\d:\d\d$/,
    );
    const said = await sam.say('s-secret', 'done').then(() => sam.say('s-quiet', 'all done'));
    await sam.end(2);
    const { html } = await get('/ui/streams?id=s-desk');
    expect(outcomeOf(html, waits)).toBe('woke w-sam → said on s-secret, said on s-quiet · $0.03');
    expect(html).toContain(`href="/ui/activations/${sam.activationId}">w-sam`);
    expect(html).toContain(`href="/ui/events/${said}">said on s-quiet`);
    expect(outcomeOf((await get('/ui/streams?id=s-desk', { workerId: 'w-ann' })).html, waits)).toBe(
      'woke w-sam → said on s-quiet, 1 more Event · $0.03',
    );
    const part = await get('/ui/streams/outcomes?id=s-desk&from=1', { fragment: true });
    const { seq } = daemon.core.queries.event(waits) ?? {};
    expect(part.html).toContain(`<hx-partial hx-target="#o-${seq}"`);
  });

  test('says what left, what is held, and what could not', async () => {
    const transport = { kind: 'webhook', config: { outbound_url: 'https://there.example/' } };
    await daemon.call('create_stream', { id: 's-out', name: 'Out', transport, hold: true });
    const held = await publish('s-out', 'may I?', {}, 'w-sam');
    const { html } = await get('/ui/streams');
    expect(outcomeOf(html, held)).toBe('request held until somebody releases it');
    expect(html).toMatch(/Needs someone[\s\S]*Waits to leave[\s\S]*may I\?[\s\S]*Let it leave/);
    const { flash } = await send('/ui/do/release', { id: held, back: '/ui/streams?id=s-out' });
    expect(flash).toContain('was released');
    expect(outcomeOf((await get('/ui/streams?id=s-out')).html, held)).toBe('request on its way');
    const [delivery] = daemon.core.queries.deliveriesOf(daemon.core.queries.event(held)?.seq ?? 0);
    const name = { event: delivery?.seq ?? 0, streamId: 's-out', deliveryId: delivery?.id ?? '' };
    const dead = { type: 'RecordDead' as const, ...name, attempts: 3, reason: 'HTTP 410', gone: true };
    await daemon.core.journal.commit('system', dead, { via: 'system' });
    const page = await get('/ui/streams?id=s-out');
    expect(outcomeOf(page.html, held)).toBe('request could not be sent: HTTP 410');
    expect(page.html).toContain('s-out sends nothing any more');
    expect((await get('/ui/streams')).html).toMatch(/sending stopped: HTTP 410/);
    expect((await send('/ui/do/retry', { id: held, back: `/ui/events/${held}` })).flash).toContain('tried again');
  });
});

describe('one Event', () => {
  test('shows why it happened up to the first cause, and what it led to', async () => {
    const first = await publish('s-desk', 'a question', { subject: 'Question' });
    const sam = await run(first);
    const second = await sam.say('s-quiet', 'an answer');
    await sam.end(1);
    const { html, status } = await get(`/ui/events/${second}`);
    expect(status).toBe(200);
    const chain = html
      .slice(html.indexOf('class="causes"'), html.indexOf('What it led to'))
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
    expect(chain).toMatch(
      /w-owner said on s-desk .* Question .*woke w-sam .* ok · \$0\.03 .*w-sam said on s-quiet .* this one/,
    );
    const above = await get(`/ui/events/${first}`);
    expect(above.html).toContain(`href="/ui/activations/${sam.activationId}"`);
    expect(above.html).toContain(`href="/ui/events/${second}">said on s-quiet`);
    expect((await get(`/ui/events/${first}`, { fragment: true })).html).toMatch(/^<div class="chain" id="chain"/);
    expect((await get('/ui/events/e-nope')).status).toBe(404);
  });

  test('is erased by a form, after which nobody reads it, and its files are gone', async () => {
    const id = await publish('s-quiet', 'my number is 5550100');
    const { flash, next } = await send('/ui/do/redact_event', { id, reason: 'asked for', back: `/ui/events/${id}` });
    expect(flash).toBe('What it said is erased for good.');
    expect(next).toContain('What it said was erased.');
    expect((await get('/ui/streams?q=5550100')).html).not.toContain('<mark>');
  });
});

describe('forms', () => {
  test('A191: sending publishes as the one who is signed in and says whom it wakes; what is refused keeps its text', async () => {
    const sent = await send('/ui/streams/publish', {
      stream_id: 's-desk',
      body: 'line 1\r\nline 2',
      subject: 'Hi',
      to: 'w-sam, ada@x.example',
    });
    expect([sent.status, sent.location]).toEqual([303, '/ui/streams?id=s-desk']);
    expect(sent.flash).toMatch(/^Sent\. It wakes w-sam\. e-/);
    const [event] = daemon.core.queries.events(['s-desk'], { limit: 1 });
    expect([event?.source, event?.body, event?.message?.subject, event?.message?.to]).toEqual([
      'w-owner',
      'line 1\nline 2',
      'Hi',
      ['w-sam', 'ada@x.example'],
    ]);
    const blank = await send('/ui/streams/publish', {
      stream_id: 's-desk',
      body: '  ',
      subject: 'kept subject',
      form: 'send-s-desk',
    });
    expect(blank.flash).toContain('body');
    expect(blank.next).toContain('value="kept subject"');
    const ann = await send('/ui/streams/publish', { stream_id: 's-desk', body: 'from Ann' }, 'w-ann');
    expect(ann.status).toBe(303);
    expect(daemon.core.queries.events(['s-desk'], { limit: 1 })[0]?.source).toBe('w-ann');
    expect((await send('/ui/streams/publish', { stream_id: 's-secret', body: 'x' }, 'w-ann')).flash).not.toMatch(
      /^Sent/,
    );
  });

  test('A191: a Stream that only receives, or speaks by its schedule, shows a disabled form with the reason', async () => {
    await daemon.call('create_stream', {
      id: 's-repo',
      name: 'Repo',
      transport: { kind: 'github', config: { repo: 'o/r', events: ['*'] } },
    });
    await daemon.call('create_stream', {
      id: 's-daily',
      name: 'Daily',
      transport: { kind: 'cron', config: { schedule: '0 7 * * *' } },
    });
    for (const [id, reason] of [
      ['s-repo', /inbound/],
      ['s-daily', /by its schedule/],
    ] as const) {
      const { html } = await get(`/ui/streams?id=${id}`);
      expect(html).toContain('<fieldset disabled>');
      expect(/id="send-refusal">([^<]+)</.exec(html)?.[1]).toMatch(reason);
      expect(html).not.toContain('action="/ui/streams/publish"');
    }
    expect((await send('/ui/streams/publish', { stream_id: 's-repo', body: 'x' })).flash).toContain(
      'not supported on github',
    );
  });

  test('the look ahead knows filters, pauses, holds and what leaves', async () => {
    await daemon.hire('w-tim');
    await daemon.hire('w-uma');
    await daemon.call('create_stream', {
      id: 's-look',
      name: 'Look',
      transport: { kind: 'webhook', config: { outbound_url: 'https://a.example' } },
      hold: true,
    });
    await daemon.call('invite_workers', { streamId: 's-look', workerIds: ['w-tim'], filter: { subject: ['urgent'] } });
    await daemon.call('invite_workers', { streamId: 's-look', workerIds: ['w-uma', 'w-ann'] });
    await daemon.call('pause_worker', { workerId: 'w-uma' });
    const look = async (fields: object) =>
      (await send('/ui/streams/preview', { stream_id: 's-look', body: 'x', ...fields })).next
        .replace(/<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ');
    expect(await look({})).toMatch(
      /Wakes w-uma \(paused\) ?\. Read by w-ann when they look\. Their filters keep it from w-tim\. It would leave by webhook, and is held/,
    );
    expect(await look({ subject: 'URGENT!' })).toMatch(/Wakes w-tim , w-uma/);
    await daemon.call('pause_org');
    expect(await look({})).toContain('The org is paused');
    await daemon.call('resume_org');
    const foreign = (await send('/ui/streams/preview', { stream_id: 's-secret', body: 'x' }, 'w-ann')).next;
    expect(foreign).not.toContain('Nobody listens');
  });

  test('a Stream is made, changed and deleted; boxes that are not ticked mean no; the secret is shown once', async () => {
    const made = await send('/ui/streams/save', {
      id: 's-made',
      name: 'Made',
      kind: 'webhook',
      config: '{"secret": true}',
      hold: 'yes',
    });
    expect(made.location).toBe('/ui/streams?id=s-made');
    expect(made.flash).toMatch(/shown this once: whsec_/);
    expect(made.next).toContain('/webhooks/s-made');
    expect(made.next).toMatch(/data-copy="[^"]*curl/);
    const bad = await send('/ui/streams/save', {
      streamId: 's-made',
      name: 'Made',
      kind: 'webhook',
      config: '{secret',
      form: 'stream-s-made',
    });
    expect(bad.flash).toContain('not JSON');
    expect(bad.next).toContain('{secret</textarea>');
    const changed = await send('/ui/streams/save', {
      streamId: 's-made',
      name: 'Remade',
      description: '',
      kind: 'webhook',
      config: '{"secret":true}',
      batch: 'conversation',
    });
    expect(changed.flash).toBe('s-made is saved.');
    expect(daemon.core.queries.stream('s-made')).toMatchObject({
      name: 'Remade',
      hold: false,
      private: false,
      batch: 'conversation',
    });
    const gone = await send('/ui/do/delete_stream', {
      streamId: 's-made',
      back: '/ui/streams?id=s-made',
      then: '/ui/streams',
    });
    expect(gone.flash).toContain('was deleted');
    const page = await get('/ui/streams?id=s-made');
    expect([page.status, page.html.includes('This Stream was deleted') || page.html.includes('deleted ')]).toEqual([
      200,
      true,
    ]);
  });
});

describe('what strangers send', () => {
  test('mail with markup in every field is text wherever it turns up, and its files are fetched, not shown', async () => {
    daemon.core.settings.set('transport.postmark', ACCOUNT);
    await daemon.call('create_stream', {
      id: 's-mail',
      name: 'Mail',
      transport: { kind: 'email', config: { alias: 'mail' } },
    });
    const file = {
      Name: `${NASTY}.html`,
      ContentType: 'text/html',
      Content: Buffer.from('<script>alert(9)</script>').toString('base64'),
    };
    const fields = {
      From: `"${NASTY.replaceAll('"', '')}" <ada@x.example>`,
      FromName: NASTY,
      Subject: NASTY,
      TextBody: '',
      Attachments: [file],
    };
    const html = `<p onclick="alert(4)">Hello <b>there</b></p><script>alert(5)</script><iframe src="https://evil.example"></iframe><a href="javascript:alert(6)">link</a><img src="https://evil.example/pixel"><div hx-get="/ui/do/x" style="position:fixed">${NASTY}</div>`;
    const { status } = await postMail(
      daemon.url,
      mailTo('mail', {
        ...fields,
        HtmlBody: html,
        headers: { References: `<${NASTY}@x>`, 'Message-ID': `<${NASTY}@y>` },
      }),
    );
    expect(status).toBe(204);
    const [event] = daemon.core.queries.events(['s-mail'], { limit: 1 });
    await publish('s-mail', NASTY, {
      subject: NASTY,
      to: [NASTY],
      threadId: NASTY,
      inReplyTo: NASTY,
      messageId: NASTY,
      attachments: [{ filename: NASTY, url: 'javascript:alert(7)' }],
    });
    await postMail(daemon.url, mailTo('mail', { Subject: NASTY, TextBody: NASTY }));
    const paths = [
      '/ui/streams',
      '/ui/streams?id=s-mail',
      `/ui/streams?q=alert`,
      `/ui/events/${event?.id}`,
      `/ui/streams?id=s-mail&answer=${event?.id}`,
      '/ui/journal',
      `/ui/streams?id=s-mail&thread=${encodeURIComponent(NASTY)}`,
    ];
    for (const path of paths) {
      const page = await get(path);
      // What stands between quotes is text; our own attributes have no other quotes.
      const bare = page.html.replace(/="[^"]*"/g, '=""');
      expect([path, page.status]).toEqual([path, 200]);
      expect([
        path,
        bare.match(
          /<(script(?! src="")|img|iframe|style|object|svg(?! class="")|[a-z0-9]+[^>]* (on\w+|style)=)[^>]*/gi,
        ),
      ]).toEqual([path, null]);
      expect([path, page.html.match(/(href|src|action)="(javascript|data|vbscript):/gi)]).toEqual([path, null]);
    }
    const page = (await get(`/ui/events/${event?.id}`)).html;
    expect(page).toContain('<p>Hello <b>there</b></p>');
    expect(page).not.toContain('hx-get="/ui/do/x"');
    const href = /href="(\/ui\/events\/[^"]+\/files\/attachment-1)"/.exec(page)?.[1] ?? '';
    const fetched = await get(href);
    expect(fetched.html).toBe('<script>alert(9)</script>');
    expect(fetched.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    });
    expect(fetched.headers['content-disposition']).toMatch(/^attachment; filename\*=UTF-8''[\w%.~!-]+$/);
    expect((await get(href.replace('attachment-1', 'message'))).status).toBe(404);
    expect((await get(href.replace('attachment-1', 'attachment-9'))).status).toBe(404);
  });
});
