// Whatever is posted, mail is read or refused: never a crash, never a result that cannot be stored.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isEmailAddress, parseMailboxes } from '../../src/domain/email-address.ts';
import { OrgError } from '../../src/domain/errors.ts';
import { decodeMessage } from '../../src/domain/message.ts';
import { email } from '../../src/transports/email.ts';
import { htmlOf } from '../../src/transports/email-html.ts';
import { messageIdsIn, threadHeaders } from '../../src/transports/email-threading.ts';
import { ACCOUNT, alias, mailFixture, mailFixtures } from '../support/mail.ts';
import '../support/seed.ts';

const STREAMS = ['sam', 'engineer'].map((name) => ({ id: `s-${name}`, config: { alias: name }, secrets: [] }));
const MESSAGE_BYTES_MAX = 1_500_000;

function receive(body: Uint8Array) {
  const request = { method: 'POST', path: '', query: '', headers: {}, body, at: new Date(0) };
  try {
    return email.receive.handle(request, STREAMS, ACCOUNT);
  } catch (error) {
    expect(error).toBeInstanceOf(OrgError);
    expect((error as OrgError).code).toBe('invalid');
    return [];
  }
}

function expectStorable(inbound: ReturnType<typeof receive>) {
  for (const { streamId, content, quiet, delivery, ties } of inbound) {
    expect(STREAMS.some(({ id }) => id === streamId) || (streamId === '' && ties !== undefined)).toBe(true);
    expect(decodeMessage(content[0]!.bytes)).toBeDefined();
    expect(content[0]!.bytes.length).toBeLessThan(MESSAGE_BYTES_MAX);
    expect(new Set(content.map(({ name }) => name)).size).toBe(content.length);
    expect([undefined, 'string']).toContain(quiet === undefined ? undefined : typeof quiet);
    if (delivery) expect(delivery.key.length).toBeLessThanOrEqual(255);
  }
  // Structured, so that a thread can hand it over.
  structuredClone(inbound);
}

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    '<',
    '>',
    '<<<',
    '"',
    '(',
    '\\',
    '\0',
    '\ud800',
    'a@b',
    '<a@b>',
    ',;:',
    `"x" <${alias('sam')}>`,
    alias('SAM'),
    '<>',
  ),
  fc
    .array(fc.constantFrom('<', '>', '@', ',', '"', '(', ')', '\\', ' ', '\r\n', 'a', '+', ':', ';', 'é'), {
      maxLength: 30,
    })
    .map((all) => all.join('')),
);
const anything = fc.oneof({ weight: 4, arbitrary: odd }, { weight: 1, arbitrary: fc.jsonValue() });
const mailbox = fc.oneof(fc.record({ Email: anything, Name: anything, MailboxHash: anything }), anything);
const list = <T>(item: fc.Arbitrary<T>) => fc.oneof(fc.array(item, { maxLength: 4 }), anything);
const header = fc.oneof(
  fc.record({
    Name: fc.oneof(
      fc.constantFrom(
        'References',
        'in-reply-to',
        'Message-ID',
        'Auto-Submitted',
        'Return-Path',
        'X-Spam-Score',
        'Authentication-Results',
        'List-Id',
      ),
      anything,
    ),
    Value: anything,
  }),
  anything,
);
const file = fc.oneof(
  fc.record({ Name: anything, Content: anything, ContentType: anything, ContentID: anything }),
  anything,
);
const payload = fc.record(
  {
    RecordType: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom('Bounce', 'SpamComplaint', 'Open') },
      { weight: 1, arbitrary: anything },
    ),
    From: anything,
    FromFull: mailbox,
    To: anything,
    ToFull: list(mailbox),
    Cc: anything,
    CcFull: list(mailbox),
    Bcc: anything,
    OriginalRecipient: fc.oneof(fc.constant(alias('sam')), anything),
    Subject: anything,
    MessageID: anything,
    TextBody: anything,
    HtmlBody: anything,
    StrippedTextReply: anything,
    Headers: list(header),
    Attachments: list(file),
    Metadata: fc.oneof(fc.record({ 'helix-event': anything }), anything),
  },
  { requiredKeys: [] },
);

test('any object with the fields of a mail', () => {
  let landed = 0;
  fc.assert(
    fc.property(payload, (mail) => {
      const inbound = receive(Buffer.from(JSON.stringify(mail)));
      expectStorable(inbound);
      landed += inbound.length;
    }),
    { numRuns: 2_000 },
  );
  expect(landed).toBeGreaterThan(500);
});

test('any bytes, and any piece of a real mail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectStorable(receive(bytes))),
    { numRuns: 500 },
  );
  for (const name of mailFixtures()) {
    const text = JSON.stringify(mailFixture(name));
    for (let end = 0; end < text.length; end += 97) expectStorable(receive(Buffer.from(text.slice(0, end))));
  }
});

test('mail made to exhaust the parser: what it takes grows with its length alone', () => {
  const long = 400_000;
  for (const text of ['<', '>', '"', '(', '\\', ',', ':', '@', 'a@b,', '<a@b', '\n ', '"\\'].map((piece) =>
    piece.repeat(long / piece.length),
  )) {
    const fields = {
      From: text,
      To: text,
      Cc: text,
      Subject: text,
      OriginalRecipient: text,
      TextBody: text,
      HtmlBody: text,
    };
    const Headers = [
      'References',
      'In-Reply-To',
      'Message-ID',
      'Authentication-Results',
      'Received-SPF',
      'Auto-Submitted',
    ].map((Name) => ({ Name, Value: text }));
    const Attachments = [{ Name: text, Content: text, ContentType: text, ContentID: text }];
    const mail = { ...fields, Headers, Attachments, FromFull: { Email: text, Name: text } };
    expectStorable(receive(Buffer.from(JSON.stringify(mail))));
    expectStorable(receive(Buffer.from(JSON.stringify({ ...mail, OriginalRecipient: alias('sam') }))));
  }
  for (const text of [
    `${'['.repeat(long)}`,
    `{"Headers":${'['.repeat(long)}${']'.repeat(long)}}`,
    `{"Attachments":[${'{},'.repeat(long)}{}]}`,
  ])
    expectStorable(receive(Buffer.from(text)));
});

test('mailboxes are addresses, each of which reads as itself', () => {
  fc.assert(
    fc.property(odd, (text) => {
      for (const { name, address } of parseMailboxes(text)) {
        expect(isEmailAddress(address)).toBe(true);
        expect(parseMailboxes(address)).toEqual([{ name: '', address }]);
        expect(name).not.toMatch(/^\s|\s$|\s\s/);
      }
    }),
    { numRuns: 3_000 },
  );
  expect(
    parseMailboxes('Ada (at (the) desk) <ada@x.example>, "Bob, \\"B\\"" <bob@x.example>; team: eve@x.example;'),
  ).toEqual([
    { name: 'Ada', address: 'ada@x.example' },
    { name: 'Bob, "B"', address: 'bob@x.example' },
    { name: '', address: 'eve@x.example' },
  ]);
});

test('headers of threads hold ids and nothing that could begin another header', () => {
  fc.assert(
    fc.property(odd, odd, (thread, parent) => {
      const { inReplyTo = '<x>', references = '<x>' } = threadHeaders({ thread_id: thread, in_reply_to: parent });
      for (const value of [inReplyTo, references]) expect(value).toMatch(/^<[^<>\s\p{Cc}]+>( <[^<>\s\p{Cc}]+>)?$/u);
      for (const id of messageIdsIn(`${thread} ${parent}`)) expect(id).toMatch(/^<[^<>\s\p{Cc}]+>$/u);
    }),
    { numRuns: 2_000 },
  );
});

test('a text of nested marks is rendered or left, never an error; a very long one has no HTML', () => {
  for (const mark of ['*', '> ', '[', '- ']) expect(() => htmlOf(mark.repeat(16_000))).not.toThrow();
  expect(htmlOf('x'.repeat(32_769))).toBeUndefined();
  fc.assert(
    fc.property(odd, (text) => {
      expect(htmlOf(text) ?? '').not.toMatch(/<(script|style|iframe|form|input)|\son[a-z]+=|javascript:/i);
    }),
  );
});
