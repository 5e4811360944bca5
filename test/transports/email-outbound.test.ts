// Mail that leaves, by a whole daemon: a Postmark and an SMTP server on loopback, and a parser that is not ours.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dispatchStage } from '../support/dispatch.ts';
import { ACCOUNT, alias, fakePostmark, headerOf, mailTo, postMail, SENDER, smtpServer } from '../support/mail.ts';

type Config = { alias?: string; from_name?: string };

async function stage(account: object | undefined, config: Config = {}) {
  const org = await dispatchStage({ play: () => {} });
  if (account) org.daemon.settings.set('transport.postmark', account);
  await org.stream('s-support', { transport: { kind: 'email', config: { alias: 'sam', ...config } } });
  const publish = (fields: object, workerId?: string) =>
    org.call('publish', { streamId: 's-support', body: 'Hello.', ...fields }, workerId);
  const outcome = (id: unknown) => org.daemon.queries.deliveriesOf(org.daemon.queries.event(String(id))?.seq ?? 0);
  return { ...org, publish, outcome, sent: () => org.daemon.courier.idle() };
}

describe('by Postmark', () => {
  test('A151: one request with the token, our From, and a Reply-To that comes back to the Stream', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    const { id } = await org.publish({ to: ['ada@kunde.example'], subject: 'Hi' });
    await org.sent();
    expect(postmark.sent).toHaveLength(1);
    const [mail] = postmark.sent;
    expect(mail).toMatchObject({
      token: 'server-token',
      path: '/email',
      body: { From: SENDER, To: 'ada@kunde.example', ReplyTo: alias('sam'), Subject: 'Hi', TextBody: 'Hello.' },
    });
    expect(mail!.body.HtmlBody).toContain('<p>Hello.</p>');
    expect(headerOf(mail!, 'X-Helix-Event')).toBe(id);
    expect(headerOf(mail!, 'Message-ID')).toBe(`<${id}@acme.example>`);
    expect(headerOf(mail!, 'X-PM-KeepID')).toBe('true');
    expect(org.outcome(id)).toMatchObject([
      { state: 'delivered', messageId: `<${id}@acme.example>`, detail: 'Postmark pm-1' },
    ]);
  });

  test('A152: disable_reply_to omits it; a Stream’s own name stands before the address', async () => {
    const postmark = await fakePostmark();
    const org = await stage({ ...postmark.account, disable_reply_to: true }, { from_name: 'Sam "the" Bot' });
    await org.publish({ to: ['ada@kunde.example'], cc: ['Bob <bob@kunde.example>', 'ada@kunde.example'] });
    await org.sent();
    expect(postmark.sent[0]!.body).toMatchObject({ From: `"Sam the Bot" <${SENDER}>`, Cc: 'bob@kunde.example' });
    expect(postmark.sent[0]!.body).not.toHaveProperty('ReplyTo');
  });

  test('A153: inReplyTo and threadId become In-Reply-To and References, which fall back to inReplyTo', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    const to = ['ada@kunde.example'];
    await org.publish({ to, inReplyTo: '<b@x>', threadId: '<a@x>' });
    await org.publish({ to, inReplyTo: '<b@x>' });
    await org.publish({ to, threadId: 'case 1\r\nBcc: eve@evil.example' });
    await org.publish({ to });
    await org.sent();
    const headers = postmark.sent.map((mail) => [headerOf(mail, 'In-Reply-To'), headerOf(mail, 'References')]);
    expect(headers).toHaveLength(4);
    expect(headers).toEqual(
      expect.arrayContaining([
        ['<b@x>', '<a@x> <b@x>'],
        ['<b@x>', '<b@x>'],
        [undefined, undefined],
      ]),
    );
    expect(JSON.stringify(postmark.sent)).not.toContain('eve@evil.example');
  });

  test('A154: text/html is the HTML body, without a text', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    await org.publish({ to: ['ada@kunde.example'], body: '<p>Hi</p>', bodyContentType: 'text/html' });
    await org.sent();
    expect(postmark.sent[0]!.body).toMatchObject({ HtmlBody: '<p>Hi</p>' });
    expect(postmark.sent[0]!.body).not.toHaveProperty('TextBody');
  });

  test('markdown becomes HTML without anything active, beside the text; plain text stays plain', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    const body =
      '# Offer\n\n* **one**\n* two\n\n<script>alert(1)</script><img src=x onerror=y>\n\n[link](javascript:z)\nline';
    await org.publish({ to: ['ada@kunde.example'], threadId: 't', body });
    await org.publish({ to: ['ada@kunde.example'], threadId: 't', body, bodyContentType: 'text/plain' });
    await org.sent();
    const [markdown, plain] = postmark.sent.map(({ body: sent }) => sent as { TextBody?: string; HtmlBody?: string });
    expect(markdown!.TextBody).toBe(body);
    expect(markdown!.HtmlBody).toContain('<h1>Offer</h1>');
    expect(markdown!.HtmlBody).toContain('<strong>one</strong>');
    expect(markdown!.HtmlBody).not.toMatch(/script|onerror|javascript/);
    expect(plain).toMatchObject({ TextBody: body });
    expect(plain).not.toHaveProperty('HtmlBody');
  });

  test('A155: without an address in `to` nothing is sent, and the publish says why', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    for (const to of [undefined, [], ['w-owner'], ['not an address']]) {
      const answer = await org.publish({ ...(to ? { to } : {}) });
      expect(answer).toMatchObject({ id: expect.any(String), outbound: null });
      expect(JSON.stringify(answer.warnings)).toContain('no recipient (Message.To is empty)');
    }
    await org.sent();
    expect(postmark.sent).toEqual([]);
  });

  test('A155 A156: without the setting the publish succeeds and its delivery says why; setting it lets the mail go', async () => {
    const postmark = await fakePostmark();
    const org = await stage(undefined);
    const { id } = await org.publish({ to: ['ada@kunde.example'] });
    await org.sent();
    expect(org.outcome(id)).toMatchObject([
      { state: 'queued', lastError: 'transport not configured: set transport.postmark' },
    ]);
    org.daemon.settings.set('transport.postmark', postmark.account);
    org.clock.advance(60_000);
    await org.sent();
    expect(org.outcome(id)).toMatchObject([{ state: 'delivered', lastError: null }]);
  });

  test('A34 A156: a change of the setting holds for the next mail', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    await org.publish({ to: ['ada@kunde.example'] });
    await org.sent();
    const account = { ...postmark.account, token: 'other', from: 'Acme <hello@acme.example>' };
    org.daemon.settings.set('transport.postmark', account);
    await org.publish({ to: ['ada@kunde.example'] });
    await org.sent();
    expect(postmark.sent.map(({ token, body }) => [token, body.From])).toEqual([
      ['server-token', SENDER],
      ['other', '"Acme" <hello@acme.example>'],
    ]);
  });

  test('A150: a mail that came in is not sent out', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    await postMail(org.daemon.url, mailTo('sam'));
    await org.sent();
    expect(postmark.sent).toEqual([]);
  });
});

describe('a refusal of Postmark’s', () => {
  const answered = (status: number, ErrorCode: number, headers?: Record<string, string>) => ({
    status,
    body: { ErrorCode, Message: 'No.' },
    ...(headers ? { headers } : {}),
  });

  test.each([
    [answered(422, 406), 'dead', /^postmark 422: \(406\) No\.$/],
    [answered(422, 300), 'dead', /\(300\)/],
    [answered(422, 412), 'queued', /\(412\)/],
    [answered(401, 10), 'queued', /^postmark 401/],
    [answered(429, 0, { 'retry-after': '900' }), 'queued', /^postmark 429/],
    [answered(500, 0), 'queued', /^postmark 500/],
  ])('%j leaves it %s', async (answer, state, reason) => {
    const postmark = await fakePostmark();
    postmark.answers.push(answer);
    const org = await stage(postmark.account);
    const { id } = await org.publish({ to: ['ada@kunde.example'] });
    await org.sent();
    const [outcome] = org.outcome(id);
    expect(outcome).toMatchObject({ state });
    expect(outcome!.lastError ?? outcome!.reason).toMatch(reason);
    if (state === 'dead') return;
    const waits = Date.parse(outcome!.nextAt ?? '') - org.clock.now().getTime();
    expect(waits).toBeGreaterThanOrEqual('headers' in answer ? 900_000 : 1);
    org.clock.advance(1_000_000);
    await org.sent();
    // The same mail again, by which a receiver takes a repeat for one.
    const ids = postmark.sent.map((mail) => headerOf(mail, 'Message-ID'));
    expect(ids).toEqual([`<${id}@acme.example>`, `<${id}@acme.example>`]);
    expect(org.outcome(id)).toMatchObject([{ state: 'delivered' }]);
  });
});

describe('files', () => {
  const bytesOf = (mail: { body: Record<string, unknown> }) =>
    (mail.body.Attachments as { Name: string; ContentType: string; Content: string }[]).map((file) => [
      file.Name,
      file.ContentType,
      Buffer.from(file.Content, 'base64').toString(),
    ]);

  test('go along from the Worker’s folder and from an Event; a web address is a link', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    const folder = join(org.daemon.paths.envsDir, 'w-owner');
    mkdirSync(join(folder, 'out'), { recursive: true });
    writeFileSync(join(folder, 'out', 'plan.txt'), 'The plan.');
    const Attachments = [{ Name: 'scan.pdf', ContentType: 'application/pdf', Content: 'JVBERi0=' }];
    await postMail(org.daemon.url, mailTo('sam', { Attachments }));
    const [inbound] = org.daemon.queries.events(['s-support'], { limit: 1 });
    const attachments = [
      { filename: 'plan.txt', content_type: 'text/plain', url: 'out/plan.txt' },
      { filename: 'copy.pdf', url: `${inbound!.id}/attachment-1` },
      { filename: 'Manual', url: 'https://acme.example/manual' },
    ];
    const { id } = await org.publish({ to: ['ada@kunde.example'], attachments });
    await org.sent();
    expect(bytesOf(postmark.sent[0]!)).toEqual([
      ['plan.txt', 'text/plain', 'The plan.'],
      ['copy.pdf', 'application/pdf', '%PDF-'],
    ]);
    expect(postmark.sent[0]!.body.TextBody).toBe('Hello.\n\nManual: https://acme.example/manual');
    expect(await org.call('get_event', { id, attachment: 'attachment-1' })).toMatchObject({ text: 'The plan.' });
  });

  test('from anywhere else are refused, and nothing is published', async () => {
    const org = await stage(ACCOUNT);
    const folder = join(org.daemon.paths.envsDir, 'w-owner');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    symlinkSync(org.daemon.paths.keyFile, join(folder, 'key'));
    symlinkSync('/etc', join(folder, 'etc'));
    writeFileSync(join(folder, '.hidden'), 'x');
    const urls = [
      '../w-other/x',
      '/etc/passwd',
      'key',
      'etc/passwd',
      '.hidden',
      'sub',
      'none.txt',
      'a\0b',
      'sub/../../x',
    ];
    for (const url of urls) {
      const attachments = [{ filename: 'x', url }];
      await expect(org.publish({ attachments })).rejects.toThrow(/is no file in your folder/);
    }
    expect(org.daemon.queries.events(['s-support'], { limit: 10 })).toEqual([]);
  });

  test('of an Event the caller may not read, and too many bytes, are refused', async () => {
    const org = await stage(ACCOUNT);
    await org.hire('w-spy', { grants: ['publish'] });
    await org.call('create_stream', {
      id: 's-board',
      name: 'Board',
      private: true,
      transport: { kind: 'email', config: { alias: 'board' } },
    });
    await postMail(org.daemon.url, mailTo('board', { Attachments: [{ Name: 'x', Content: 'eA==' }] }));
    const [inbound] = org.daemon.queries.events(['s-board'], { limit: 1 });
    const attachments = [{ filename: 'x', url: `${inbound!.id}/attachment-1` }];
    await expect(org.publish({ attachments }, 'w-spy')).rejects.toThrow(/may not read s-board/);
    const folder = join(org.daemon.paths.envsDir, 'w-owner');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'big'), Buffer.alloc(10 * 1_048_576 + 1));
    await expect(org.publish({ attachments: [{ filename: 'big', url: 'big' }] })).rejects.toThrow(/more than 10 MiB/);
  });
});

describe('by an SMTP server', () => {
  test('the whole letter arrives: names, threads, HTML beside text, files, other scripts', async () => {
    const server = await smtpServer();
    const org = await stage(server.account, { from_name: 'סם — Support' });
    const folder = join(org.daemon.paths.envsDir, 'w-owner');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'a.bin'), Buffer.from([0, 255, 1]));
    const { id } = await org.publish({
      to: ['ada@kunde.example'],
      cc: ['bob@kunde.example'],
      subject: 'Grüße 漢字 😀',
      body: 'Hällo *you*.',
      threadId: '<a@x>',
      inReplyTo: '<b@x>',
      attachments: [{ filename: 'Ärger.bin', url: 'a.bin' }],
    });
    await org.sent();
    const [mail] = server.mails;
    expect(mail!.to).toEqual(['ada@kunde.example', 'bob@kunde.example']);
    expect(mail!.parsed).toMatchObject({
      from: { name: 'סם — Support', address: SENDER },
      to: [{ address: 'ada@kunde.example' }],
      cc: [{ address: 'bob@kunde.example' }],
      replyTo: [{ address: alias('sam') }],
      subject: 'Grüße 漢字 😀',
      messageId: `<${id}@acme.example>`,
      inReplyTo: '<b@x>',
      references: '<a@x> <b@x>',
      text: expect.stringMatching(/^Hällo \*you\*\.\s*$/),
      html: expect.stringContaining('<em>you</em>'),
      attachments: [{ filename: 'Ärger.bin', mimeType: 'application/octet-stream' }],
    });
    expect(mail!.parsed.headers).toContainEqual(expect.objectContaining({ key: 'x-helix-event', value: id }));
    expect(org.outcome(id)).toMatchObject([{ state: 'delivered', messageId: `<${id}@acme.example>` }]);
  });

  test('a subject, name or address cannot bring headers along', async () => {
    const server = await smtpServer();
    const org = await stage(server.account);
    const evil = 'x\r\nBcc: eve@evil.example';
    await org.publish({ to: ['ada@kunde.example', `a@b.example\r\nBcc: eve@evil.example`], subject: evil });
    await org.sent();
    expect(server.mails[0]!.to).toEqual(['ada@kunde.example']);
    expect(server.mails[0]!.parsed.bcc ?? []).toEqual([]);
    expect(server.mails[0]!.parsed.subject).toBe('x Bcc: eve@evil.example');
  });

  const refusing = (responseCode: number) => ({
    onRcptTo: (_address: unknown, _session: unknown, done: (error?: Error) => void) =>
      done(Object.assign(new Error('not here'), { responseCode })),
  });

  test.each([
    [550, 'dead'],
    [452, 'queued'],
  ])('a %i leaves it %s', async (code, state) => {
    const server = await smtpServer(refusing(code));
    const org = await stage(server.account);
    const { id } = await org.publish({ to: ['ada@kunde.example'] });
    await org.sent();
    const [outcome] = org.outcome(id);
    expect(outcome).toMatchObject({ state });
    expect(outcome!.lastError ?? outcome!.reason).toMatch(new RegExp(`^smtp ${code}: .*not here`));
  });

  test('wrong credentials, and a server that is not there, are tried again', async () => {
    const server = await smtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error('no')),
    });
    const smtp = { ...server.account.smtp, user: 'u', pass: 'hunter2' };
    const org = await stage({ ...server.account, smtp });
    const { id } = await org.publish({ to: ['ada@kunde.example'] });
    await org.sent();
    expect(org.outcome(id)).toMatchObject([{ state: 'queued', lastError: expect.stringMatching(/^smtp 535/) }]);
    expect(JSON.stringify(org.outcome(id))).not.toContain('hunter2');
    org.daemon.settings.set('transport.postmark', { ...server.account, smtp: { host: '127.0.0.1', port: 1 } });
    org.clock.advance(60_000);
    await org.sent();
    expect(org.outcome(id)).toMatchObject([{ state: 'queued', lastError: expect.stringMatching(/ECONNREFUSED/) }]);
  });
});

describe('a report', () => {
  test('becomes an Event where the mail was published, in its thread, known as AI-caused, and wakes nobody', async () => {
    const postmark = await fakePostmark();
    const org = await stage(postmark.account);
    await org.hire('w-sam', { streams: ['s-support'], grants: ['publish'] });
    await org.idle();
    const { id } = await org.publish({ to: ['gone@kunde.example'], subject: 'Offer', threadId: '<t@x>' }, 'w-sam');
    await org.sent();
    const { Metadata } = postmark.sent[0]!.body;
    const bounce = {
      RecordType: 'Bounce',
      ID: 7,
      Name: 'Hard bounce',
      Email: 'gone@kunde.example',
      Subject: 'Offer',
      Metadata,
    };
    for (let n = 0; n < 3; n++) expect(await postMail(org.daemon.url, bounce)).toMatchObject({ status: 204 });
    const [report, ...others] = org.daemon.queries.events(['s-support'], { limit: 10 });
    expect(others).toHaveLength(1);
    expect(report).toMatchObject({
      source: '',
      quiet: 'a bounce report',
      message: { subject: 'Undeliverable: Offer', thread_id: '<t@x>', in_reply_to: id },
    });
    expect(org.daemon.queries.entry(report!.seq)).toMatchObject({
      hops: 2,
      causedBy: org.daemon.queries.event(String(id))!.seq,
    });
    await org.idle();
    expect(org.activations('w-sam')).toHaveLength(1);
  });
});
