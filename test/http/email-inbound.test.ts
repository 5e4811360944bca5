// Mail as it is posted, on a real database.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyJournal } from '../../src/store/verify.ts';
import { startTestDaemon, temporaryDirectory } from '../support/daemon.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';
import { ACCOUNT, alias, basic, INBOUND, mailFixture, mailFixtures, mailTo, postMail } from '../support/mail.ts';

let daemon: TestDaemon;
let made = 0;

beforeAll(async () => {
  daemon = await openTestDaemon();
  daemon.core.settings.set('transport.postmark', ACCOUNT);
});
afterAll(() => daemon.close());

/** A Stream with an alias of its own. */
async function open(on = daemon): Promise<{ id: string; alias: string }> {
  const name = `box-${++made}`;
  await on.call('create_stream', { id: `s-${name}`, name, transport: { kind: 'email', config: { alias: name } } });
  return { id: `s-${name}`, alias: name };
}

const post = (payload: Parameters<typeof postMail>[1], headers?: Record<string, string>) =>
  postMail(daemon.url, payload, headers);
const eventsOf = (streamId: string) => daemon.core.queries.events([streamId], { limit: 100 });

describe('the answer', () => {
  test('A143: 204 for a mail that is kept', async () => {
    const { id, alias: name } = await open();
    expect(await post(mailTo(name, { TextBody: 'Hello.' }))).toEqual({ status: 204, text: '' });
    expect(eventsOf(id)).toMatchObject([{ body: 'Hello.', source: '', message: { to: [alias(name)] } }]);
  });

  test('A148: 400 without an alias, 404 for an unknown one, 400 for bad JSON, 405 for GET', async () => {
    const plain = mailTo('x', { OriginalRecipient: INBOUND, To: INBOUND, ToFull: undefined });
    expect(await post(plain)).toEqual({ status: 400, text: 'no alias on recipient' });
    expect(await post(mailTo('nobody'))).toEqual({ status: 404, text: 'no email stream with alias "nobody"' });
    for (const bad of ['{', '', 'null', '[]', '"x"', '{"From":', Uint8Array.of(0xff, 0xfe)])
      expect(await post(bad)).toMatchObject({ status: 400, text: expect.stringMatching(/^parse postmark json: /) });
    const answer = await fetch(`${daemon.url}/email/postmark`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('413 over 25 MiB', async () => {
    expect(await post(new Uint8Array(25 * 1_048_576 + 1))).toMatchObject({ status: 413 });
  });

  test('A157: 401 without the credentials once they are set, 503 while the setting is missing', async () => {
    const { id, alias: name } = await open();
    daemon.core.settings.set('transport.postmark', { ...ACCOUNT, inbound_user: 'pm', inbound_password: 'secret' });
    try {
      expect(await post(mailTo(name))).toMatchObject({
        status: 401,
        text: expect.stringMatching(/basic authentication/),
      });
      expect(await post(mailTo(name), basic('pm', 'wrong'))).toMatchObject({ status: 401 });
      expect(await post('{', basic('pm', 'wrong'))).toMatchObject({ status: 401 });
      expect(await post(mailTo(name), basic('pm', 'secret'))).toMatchObject({ status: 204 });
      daemon.core.settings.delete('transport.postmark');
      expect(await post(mailTo(name))).toMatchObject({ status: 503, text: expect.stringMatching(/not configured/) });
    } finally {
      daemon.core.settings.set('transport.postmark', ACCOUNT);
    }
    expect(eventsOf(id)).toHaveLength(1);
  });

  test('204 for every fixture', async () => {
    await daemon.call('create_stream', {
      id: 's-sam',
      name: 'Sam',
      transport: { kind: 'email', config: { alias: 'sam' } },
    });
    for (const name of mailFixtures()) expect([name, (await post(mailFixture(name))).status]).toEqual([name, 204]);
  });
});

describe('a Stream’s alias', () => {
  test('A157: belongs to one Stream, also when two are made at once; a deleted one gives it back', async () => {
    const transport = { kind: 'email', config: { alias: 'unique' } };
    const make = (id: string) => daemon.call('create_stream', { id, name: id, transport });
    const both = await Promise.allSettled([make('s-one'), make('s-two')]);
    const refused = both.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toMatchObject([{ reason: { message: expect.stringMatching(/has the alias "unique" already/) } }]);
    const { id } = await open();
    await expect(daemon.call('update_stream', { streamId: id, transport })).rejects.toThrow(/alias "unique"/);
    await daemon.call('delete_stream', { streamId: 's-one' });
    await make('s-three');
  });

  test.each([
    [{}, 'email transport: alias is required'],
    [{ alias: '' }, 'email transport: alias is required'],
    [
      { alias: 'Sam' },
      'email transport: alias "Sam" must be lowercase alphanumeric / dash / underscore (no @, +, dots)',
    ],
    [{ alias: 'a.b' }, 'email transport: alias "a.b" must be lowercase'],
    [{ alias: 'sam', from_name: 'A\nB' }, 'parse email config: from_name must be one line'],
    [{ alias: 'sam', to: 'x' }, 'parse email config: it has no "to"'],
  ])('%j is refused', async (config, message) => {
    await expect(daemon.call('create_stream', { name: 'x', transport: { kind: 'email', config } })).rejects.toThrow(
      message,
    );
  });

  test('tells its address and where Postmark posts, and warns while anybody may', async () => {
    const made = await daemon.call('create_stream', {
      name: 'told',
      transport: { kind: 'email', config: { alias: 'told' } },
    });
    expect(made).toMatchObject({
      address: alias('told'),
      webhook: `${daemon.url}/email/postmark`,
      warning: expect.stringMatching(/Anybody/),
    });
  });
});

describe('a delivery that comes again', () => {
  test('20 times at once lands once on each Stream it is for', async () => {
    const [one, two] = [await open(), await open()];
    const payload = mailTo(one.alias, { Cc: `Two <${alias(two.alias.toUpperCase())}>` });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(payload)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    expect([eventsOf(one.id).length, eventsOf(two.id).length]).toEqual([1, 1]);
    expect(await post(mailTo(one.alias))).toMatchObject({ status: 204 });
    expect(eventsOf(one.id)).toHaveLength(2);
  });

  test('with files keeps those of the one that landed, and no others', async () => {
    const { id, alias: name } = await open();
    const file = Buffer.alloc(700_000, 'x');
    const payload = mailTo(name, { Attachments: [{ Name: 'x.bin', Content: file.toString('base64') }] });
    const before = countFiles();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(payload)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    expect(countFiles()).toEqual(before + 1);
    expect(daemon.core.queries.file(eventsOf(id)[0]!.seq, 'attachment-1')).toEqual(file);
  });

  test('after a first write that failed lands once, and the first was told to come again', async () => {
    const { id, alias: name } = await open();
    const payload = mailTo(name);
    const { sqlite } = daemon.core.db;
    const exec = sqlite.exec.bind(sqlite);
    sqlite.exec = (statement) => {
      if (statement === 'COMMIT') throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return exec(statement);
    };
    const failed = await Promise.all(Array.from({ length: 20 }, () => post(payload))).finally(() => {
      sqlite.exec = exec;
    });
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([503]));
    expect(eventsOf(id)).toEqual([]);
    const again = await Promise.all(Array.from({ length: 20 }, () => post(payload)));
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([204]));
    expect(eventsOf(id)).toHaveLength(1);
  });

  test('after a restart lands no more', async () => {
    const dir = temporaryDirectory();
    const payload = mailTo('again', { Attachments: [{ Name: 'x', Content: 'eA==' }] });
    const events: number[] = [];
    for (let start = 0; start < 2; start++) {
      const whole = await startTestDaemon({ dir });
      if (start === 0) {
        whole.settings.set('transport.postmark', ACCOUNT);
        await whole.door.call({ workerId: 'w-owner', via: 'mcp' }, 'create_stream', {
          id: 's-again',
          name: 'Again',
          transport: { kind: 'email', config: { alias: 'again' } },
        });
      }
      const answers = await Promise.all(Array.from({ length: 20 }, () => postMail(whole.url, payload)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
      events.push(whole.queries.events(['s-again'], { limit: 10 }).length);
      await whole.stop();
    }
    expect(events).toEqual([1, 1]);
  });

  const countFiles = () => daemon.core.db.sqlite.prepare('SELECT count(*) FROM attachments').pluck().get() as number;
});

describe('files of a mail', () => {
  test('are read piece by piece, text as text and the rest as base64', async () => {
    const { id, alias: name } = await open();
    const text = `${'é'.repeat(40_000)} end`;
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 251));
    const Attachments = [
      { Name: 'notes.txt', ContentType: 'text/plain', Content: Buffer.from(`x${text}`).toString('base64') },
      { Name: 'scan.bin', ContentType: 'application/pdf', Content: bytes.toString('base64') },
    ];
    await post(mailTo(name, { Attachments, HtmlBody: '<p>Hi</p>' }));
    const { id: event } = eventsOf(id)[0]!;
    const pieces = async (attachment: string) => {
      const found: Record<string, unknown>[] = [];
      for (let offset: unknown = 0; offset !== undefined; offset = found.at(-1)?.next)
        found.push(await daemon.call('get_event', { id: event, attachment, offset }));
      return found;
    };
    expect((await pieces('attachment-1')).map((piece) => piece.text).join('')).toBe(`x${text}`);
    const scan = await pieces('attachment-2');
    expect(scan).toMatchObject([{ filename: 'scan.bin', size_bytes: 70_000, next: 65_536 }, { offset: 65_536 }]);
    expect(Buffer.concat(scan.map((piece) => Buffer.from(String(piece.base64), 'base64')))).toEqual(bytes);
    expect(await pieces('attachment-html')).toMatchObject([{ text: '<p>Hi</p>' }]);
    await expect(pieces('attachment-9')).rejects.toThrow(/has no file attachment-9/);
  });

  test('are gone with what was redacted, and the journal verifies before and after', async () => {
    const { id, alias: name } = await open();
    await post(mailTo(name, { Attachments: [{ Name: 'a', Content: Buffer.from('TOP SECRET').toString('base64') }] }));
    const { id: event, seq } = eventsOf(id)[0]!;
    expect(verifyJournal(daemon.core.db).problems).toEqual([]);
    await daemon.call('redact_event', { id: event, reason: 'personal' });
    expect(daemon.core.queries.file(seq, 'attachment-1')).toBeUndefined();
    const left = daemon.core.db.sqlite
      .prepare('SELECT count(*) FROM attachment_slices WHERE hex(bytes) LIKE ?')
      .pluck();
    expect(left.get(`%${Buffer.from('TOP SECRET').toString('hex').toUpperCase()}%`)).toBe(0);
    expect(verifyJournal(daemon.core.db).problems).toEqual([]);
  });

  test('that were changed in the database are noticed', async () => {
    const { id, alias: name } = await open();
    await post(mailTo(name, { Attachments: [{ Name: 'a', Content: 'YQ==' }] }));
    const { seq } = eventsOf(id)[0]!;
    const { sqlite } = daemon.core.db;
    const of = '(SELECT id FROM attachments WHERE event = ?)';
    sqlite.prepare(`UPDATE attachment_slices SET bytes = x'62' WHERE id = ${of}`).run(seq);
    expect(verifyJournal(daemon.core.db).problems).toEqual([{ seq, problem: 'its file "attachment-1" was changed' }]);
    sqlite.prepare(`UPDATE attachment_slices SET bytes = x'61' WHERE id = ${of}`).run(seq);
    expect(daemon.core.queries.file(seq, 'attachment-1')?.toString()).toBe('a');
  });

  test('come with a mail of 24 MB, which is read beside the loop', async () => {
    const { id, alias: name } = await open();
    const file = Buffer.alloc(17_000_000, 'abc');
    const payload = mailTo(name, { Attachments: [{ Name: 'big.bin', Content: file.toString('base64') }] });
    expect(await post(payload)).toMatchObject({ status: 204 });
    expect(daemon.core.queries.file(eventsOf(id)[0]!.seq, 'attachment-1')?.equals(file)).toBe(true);
  });
});

test('a mail that takes long to read holds up nobody else', async () => {
  const { id, alias: name } = await open();
  const order: string[] = [];
  const heavy = JSON.stringify(mailTo(name)).replace('"TextBody"', `"Other":[${'{},'.repeat(3_000_000)}{}],"TextBody"`);
  const slow = post(heavy).then(({ status }) => order.push(`heavy ${status}`));
  for (let n = 0; n < 20; n++) {
    await fetch(`${daemon.url}/healthz`);
    order.push('quick');
  }
  await slow;
  expect(order.indexOf('heavy 204')).toBeGreaterThan(0);
  expect(eventsOf(id)).toHaveLength(1);
});

describe('mail that nobody wrote', () => {
  test('is recorded and wakes nobody, and event_status says why', async () => {
    const { id, alias: name } = await open();
    await daemon.hire('w-reader');
    await daemon.core.journal.commit('w-reader', { type: 'Subscribe', streamId: id, filter: null });
    const inbox = () => daemon.core.queries.eventStatus.page(eventOf(), '', 10);
    const eventOf = () => ({ seq: eventsOf(id)[0]!.seq, stream: id, publisher: '' });
    await post({ ...mailFixture('out-of-office'), OriginalRecipient: alias(name) });
    expect(inbox()).toEqual([
      { workerId: 'w-reader', state: 'filtered', reason: 'an automatic mail (Auto-Submitted: auto-replied)' },
    ]);
    await post(mailFixture('forged-from', { OriginalRecipient: alias(name) }));
    expect(inbox()).toMatchObject([{ state: 'filtered', reason: 'it comes from our own address' }]);
    expect(await daemon.call('get_event', { id: eventsOf(id)[0]!.id })).toMatchObject({
      quiet: 'it comes from our own address',
    });
    await post(mailTo(name));
    expect(inbox()).toMatchObject([{ state: 'queued' }]);
  });
});
