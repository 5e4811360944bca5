import { describe, expect, test } from 'vitest';
import { decodeMessage, type Message } from '../../src/domain/message.ts';
import { email } from '../../src/transports/email.ts';
import type { EmailAccount } from '../../src/transports/email-config.ts';
import type { Inbound } from '../../src/transports/transport.ts';
import { ACCOUNT, alias, INBOUND, mailFixture, mailTo, type Payload } from '../support/mail.ts';

const STREAMS = ['sam', 'engineer', 'in_acme-1'].map((name) => ({
  id: `s-${name}`,
  config: { alias: name },
  secrets: [],
}));

function receive(payload: Payload, account: EmailAccount | undefined = ACCOUNT, headers = {}): Inbound[] {
  const body = Buffer.from(JSON.stringify(payload));
  const request = { method: 'POST', path: '/email/postmark', query: '', headers, body, at: new Date(0) };
  return email.receive.handle(request, STREAMS, account);
}

const messageOf = ({ content }: Inbound): Message => decodeMessage(content[0]!.bytes)!;
const one = (payload: Payload, account?: EmailAccount): Message => messageOf(receive(payload, account)[0]!);
const extraOf = (payload: Payload) => one(payload).extra as Record<string, unknown>;
const streamsOf = (payload: Payload, account?: EmailAccount) =>
  receive(payload, account).map(({ streamId }) => streamId);

describe('a mail as Postmark documents it', () => {
  const payload = mailFixture('inbound-documented');

  test('A144 A157: from, to, subject, body and the id that real mail clients refer to', () => {
    expect(one(payload)).toMatchObject({
      from: 'support@postmarkapp.com',
      to: [alias('sam')],
      cc: ['firstcc@postmarkapp.com', 'secondCc@postmarkapp.com'],
      subject: 'Test subject',
      body: 'This is a test text body.',
      message_id: '<CAGXpo2WKfxHWZ5UFYCR3H_J9SNMG+5AXUovfEFL6DjWBJSyZaA@mail.gmail.example>',
    });
    expect(one(payload)).not.toHaveProperty('thread_id');
    expect(one(payload)).not.toHaveProperty('body_content_type');
  });

  test('every other field is in extra, with what the receiving servers found out', () => {
    expect(extraOf(payload)).toEqual({
      from_name: 'Postmarkapp Support',
      reply_to: 'replyto@postmarkapp.com',
      date: 'Fri, 1 Aug 2014 16:45:32 -0400',
      to: [`Firstname Lastname <${alias('sam')}>`],
      bcc: ['First Bcc <firstbcc@postmarkapp.com>'],
      original_recipient: alias('sam'),
      mailbox_hash: 'sam',
      spam: { status: 'No', score: '-0.1', tests: 'DKIM_SIGNED,DKIM_VALID,DKIM_VALID_AU,SPF_PASS' },
      authentication: {
        received_spf: expect.stringContaining('209.85.160.180'),
        authentication_results: expect.stringContaining('header.d=postmarkapp.com'),
        spf: 'pass',
        dkim: 'pass',
        dmarc: 'fail',
      },
      stripped_reply: 'This is the reply text',
      tag: 'TestTag',
      message_stream: 'inbound',
      postmark_id: '73e6d360-66eb-11e1-8e72-a8904824019b',
      headers: [
        ['X-Header-Test', ''],
        ['MIME-Version', '1.0'],
      ],
    });
  });

  test('A147: attachments are metadata in the Message; their bytes, and the HTML beside a text, are parts', () => {
    const [inbound] = receive(payload);
    expect(messageOf(inbound!).attachments).toEqual([
      { filename: 'test.txt', content_type: 'text/plain', size_bytes: 45, url: 'attachment-1' },
      {
        filename: 'myimage.png',
        content_type: 'image/png',
        size_bytes: 7,
        url: 'attachment-2',
        content_id: 'myimage.png@01CE7342.75E71F80',
      },
    ]);
    const parts = new Map(inbound!.content.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]));
    expect([...parts.keys()]).toEqual(['message', 'attachment-1', 'attachment-2', 'attachment-html']);
    expect(parts.get('attachment-1')).toBe('This is attachment contents, base-64 encoded.');
    expect(parts.get('attachment-html')).toBe('<html><body><p>This is a test html body.</p></body></html>');
  });

  test('is one delivery by Postmark’s own id', () => {
    const delivery = { provider: 'postmark', key: '73e6d360-66eb-11e1-8e72-a8904824019b', ownKey: false };
    expect(receive(payload)[0]).toMatchObject({ streamId: 's-sam', delivery });
    expect(receive(mailTo('sam', { MessageID: '' }))[0]).not.toHaveProperty('delivery');
  });
});

describe('which Streams a mail is for', () => {
  test('A143: the alias after the plus', () => {
    expect(streamsOf(mailTo('sam'))).toEqual(['s-sam']);
    expect(streamsOf(mailTo('in_acme-1'))).toEqual(['s-in_acme-1']);
  });

  test('A145: OriginalRecipient says it, whatever To says; To when there is none', () => {
    const listed = { To: 'team@kunde.example', ToFull: [{ Email: 'team@kunde.example', Name: 'Team' }] };
    expect(one(mailTo('sam', listed)).to).toEqual([alias('sam')]);
    expect(one(mailTo('sam', { OriginalRecipient: '' })).to).toEqual([alias('sam')]);
    expect(one(mailTo('sam', { OriginalRecipient: '', ToFull: undefined })).to).toEqual([alias('sam')]);
  });

  test('in whatever case it is written, and among other plus-addresses', () => {
    expect(streamsOf(mailFixture('plus-address'))).toEqual(['s-sam']);
    expect(one(mailFixture('plus-address'))).toMatchObject({ from: 'ada+news@kunde.example' });
  });

  test('several recipients with names: each Stream once, with the address that named it', () => {
    const found = receive(mailFixture('several-recipients'));
    expect(found.map(({ streamId }) => streamId)).toEqual(['s-sam', 's-engineer']);
    expect(found.map((inbound) => messageOf(inbound).to)).toEqual([[alias('sam')], [alias('ENGINEER')]]);
  });

  test('the bare alias at the address that took the mail, or at our own domain; not at anybody’s', () => {
    expect(streamsOf(mailFixture('bare-alias'))).toEqual(['s-sam']);
    const ours = { ...ACCOUNT, inbound: 'hello@in.acme.example' };
    const written = (to: string) => mailTo('x', { OriginalRecipient: '', To: to, ToFull: undefined });
    expect(streamsOf(written('Sam <SAM@in.acme.example>'), ours)).toEqual(['s-sam']);
    expect(streamsOf(written('engineer@gmail.example, in_acme-1@in.acme.example'), ours)).toEqual(['s-in_acme-1']);
    expect(streamsOf(written('engineer@gmail.example'), ours)).toEqual(['']);
  });

  test('A148: none is refused unless the mail belongs to one we sent', () => {
    const [none] = receive(mailTo('sam', { OriginalRecipient: INBOUND, To: INBOUND, ToFull: undefined }));
    expect(none).toMatchObject({
      streamId: '',
      ties: { refusal: { code: 'invalid', message: 'no alias on recipient' } },
    });
    const [unknown] = receive(mailTo('nobody'));
    const refusal = { code: 'not_found', message: 'no email stream with alias "nobody"' };
    expect(unknown).toMatchObject({ streamId: '', ties: { refusal } });
  });
});

describe('threads', () => {
  test('A149: the first token of References, else In-Reply-To, else none', () => {
    expect(one(mailFixture('reply'))).toMatchObject({
      thread_id: '<first@kunde.example>',
      in_reply_to: '<second@acme.example>',
      message_id: '<reply-2@kunde.example>',
    });
    expect(one(mailTo('sam', { headers: { 'In-Reply-To': '<a@b>' } }))).toMatchObject({ thread_id: '<a@b>' });
    expect(one(mailTo('sam'))).not.toHaveProperty('thread_id');
  });

  test('odd headers are read as far as they go', () => {
    const references = (value: string) => one(mailTo('sam', { headers: { References: value } })).thread_id;
    expect(references('<a@b><c@d>\t<e@f>')).toBe('<a@b>');
    expect(references('broken <not an id> "x" <real@id>')).toBe('<real@id>');
    expect(references('bare@id')).toBe('<bare@id>');
    expect(references('<>')).toBeUndefined();
    expect(references(`<first@x> ${'<y@z> '.repeat(9_000)}`)).toBe('<first@x>');
  });

  test('Postmark’s id stands in where a mail has none of its own', () => {
    expect(one(mailTo('sam', { MessageID: 'pm-1', Headers: [] })).message_id).toBe('pm-1');
  });
});

describe('what a mail says', () => {
  test('A146: HTML without text is the body, and said to be HTML', () => {
    expect(one(mailFixture('html-only'))).toMatchObject({
      body: '<p>Only <b>HTML</b></p>',
      body_content_type: 'text/html',
    });
  });

  test('the stripped reply stands beside the full body', () => {
    const message = one(mailFixture('reply'));
    expect(message.body).toContain('> Hello.');
    expect(message.extra).toMatchObject({ stripped_reply: 'Thanks!' });
  });

  test('names and texts of other directions are kept; a file’s name cannot turn its own direction', () => {
    const message = one(mailFixture('rtl-name'));
    expect(message.body).toBe('שלום לכולם — مرحبا — 漢字 😀\n');
    expect(message.extra).toMatchObject({ from_name: expect.stringContaining('דנה כהן') });
    expect(message.attachments).toMatchObject([{ filename: 'photognp.exe' }]);
  });

  test('MIME inside the text is text: no header, no id and no recipient is taken from it', () => {
    const payload = mailFixture('nested-mime');
    const message = one(payload);
    expect(message).toMatchObject({
      from: 'ada@kunde.example',
      message_id: '<outer@kunde.example>',
      body: payload.TextBody,
    });
    expect(message.attachments).toMatchObject([{ filename: 'original.eml', content_type: 'message/rfc822' }]);
  });

  test('a text that is very long is cut, and whole beside it', () => {
    const TextBody = `${'x'.repeat(262_143)}😀 end`;
    const [inbound] = receive(mailTo('sam', { TextBody }));
    const message = messageOf(inbound!);
    expect(message.body).toMatch(/^x{262143}\n\[cut: the whole text is attachment-body\]$/);
    expect(message.attachments).toMatchObject([{ filename: 'body.txt', url: 'attachment-body' }]);
    expect(Buffer.from(inbound!.content[1]!.bytes).toString()).toBe(TextBody);
  });

  test('a file with a path for a name keeps to its last part', () => {
    const Attachments = ['../../etc/passwd', 'C:\\x\\.bashrc', '', '..'].map((Name) => ({ Name, Content: 'eA==' }));
    const names = one(mailTo('sam', { Attachments })).attachments?.map(({ filename }) => filename);
    expect(names).toEqual(['passwd', 'bashrc', 'attachment-3', 'attachment-4']);
  });
});

describe('mail that nobody wrote wakes nobody', () => {
  const quietOf = (payload: Payload) => receive(payload)[0]?.quiet;

  test.each([
    ['out-of-office', 'an automatic mail (Auto-Submitted: auto-replied)'],
    ['mailing-list', 'mass mail (Precedence: list)'],
    ['bounce-mail', 'a bounce: it has no sender'],
  ])('%s', (name, reason) => {
    expect(quietOf(mailFixture(name))).toBe(reason);
    expect(extraOf(mailFixture(name))).toMatchObject({ automatic: reason });
  });

  test.each([
    [{ 'Auto-Submitted': 'auto-generated (rejected)' }, /auto-generated/],
    [{ 'List-Unsubscribe': '<https://x.example/u>' }, /list-unsubscribe/],
    [{ Precedence: 'Bulk' }, /Precedence: bulk/],
    [{ 'X-Autoreply': 'yes' }, /x-autoreply/],
    [{ 'X-Failed-Recipients': 'a@b.example' }, /failed recipients/],
    [{ 'Content-Type': 'multipart/report; report-type=disposition-notification' }, /report/],
  ])('%o', (headers, reason) => {
    expect(quietOf(mailTo('sam', { headers }))).toMatch(reason);
  });

  test('a person’s mail is none of these', () => {
    for (const headers of [
      { 'Auto-Submitted': 'no' },
      { Precedence: 'first-class' },
      { 'X-Autoreply': 'no' },
    ] as object[])
      expect(quietOf(mailTo('sam', { headers: headers as Record<string, string> }))).toBeUndefined();
    expect(quietOf(mailTo('sam', { From: 'daemon@kunde.example' }))).toBeUndefined();
  });

  test('one that says it is from us is known, also under a Stream’s address', () => {
    const fromUs = (payload: Payload) => receive(payload)[0]?.ties?.fromUs;
    expect(fromUs(mailFixture('forged-from'))).toBe(true);
    expect(fromUs(mailTo('sam', { From: alias('Engineer') }))).toBe(true);
    expect(fromUs(mailTo('sam'))).toBe(false);
    expect(extraOf(mailFixture('forged-from'))).toMatchObject({
      authentication: { spf: 'fail', dkim: 'none', dmarc: 'fail' },
    });
  });
});

describe('reports', () => {
  const about = (name: string) =>
    mailFixture(name, { Metadata: { 'helix-event': 'e-00000000-0001-8000-8000-000000000000' } });

  test.each([
    ['bounce', 'Undeliverable: Test subject', 'did not reach john@example.com'],
    ['spam-complaint', 'Spam complaint: Test subject', 'was reported as spam by john@example.com'],
  ])('a %s is about the Event its mail carried', (name, subject, says) => {
    const [inbound] = receive(about(name));
    expect(inbound).toMatchObject({ streamId: '', ties: { reportOn: 'e-00000000-0001-8000-8000-000000000000' } });
    expect(messageOf(inbound!)).toMatchObject({ subject, body: expect.stringContaining(says) });
    expect(inbound?.quiet).toMatch(/report$/);
    expect(inbound?.delivery?.provider).toMatch(/^postmark-/);
  });

  test('those that need nobody, and those on mail of others, land nowhere', () => {
    for (const name of ['delivery', 'open', 'bounce', 'spam-complaint']) expect(receive(mailFixture(name))).toEqual([]);
    expect(receive(about('delivery'))).toEqual([]);
  });
});

describe('A157: who may post', () => {
  const guarded = { ...ACCOUNT, inbound_user: 'postmark', inbound_password: 'pass:word' };
  const given = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  test('whoever has the credentials, once they are set', () => {
    expect(receive(mailTo('sam'), guarded, given('postmark:pass:word'))).toHaveLength(1);
    for (const headers of [
      {},
      given('postmark:wrong'),
      given(''),
      { authorization: 'Bearer x' },
      { authorization: 'Basic' },
    ])
      expect(() => receive(mailTo('sam'), guarded, headers)).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });

  test('nobody, while the setting is missing', () => {
    const body = Buffer.from('{}');
    const request = { method: 'POST', path: '', query: '', headers: {}, body, at: new Date(0) };
    expect(() => email.receive.handle(request, STREAMS, undefined)).toThrow(
      expect.objectContaining({ name: 'Unready' }),
    );
  });
});
