import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import { dumpReadTables, rebuildReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { messageContent, staff, stream, subscribe, type TestOrg, testDirectory, testOrg } from '../support/org.ts';

const MARKER = 'xyzzymarker4711';

let directory: string;
let org: TestOrg;

beforeEach(async () => {
  directory = testDirectory();
  org = await staff(await testOrg(join(directory, 'org.db')));
  await stream(org, 's-in');
  await subscribe(org, 'w-ada', 's-in');
});

/** Where the data directory holds any of these texts, letter case aside. */
function copiesOf(...texts: string[]): string[] {
  return readdirSync(directory).flatMap((name) => {
    const held = readFileSync(join(directory, name)).toString('latin1').toLowerCase();
    const found = texts.filter((text) => held.includes(Buffer.from(text).toString('latin1').toLowerCase()));
    return found.map((text) => `${name}: ${text}`);
  });
}

/** A run that an Event woke, with what its agent printed. */
async function run(activationId: string, triggers: number[], lines: (string | { body: string; extra: unknown })[]) {
  const prompt = `Act on: ${triggers.map((seq) => org.queries.eventAt(seq)?.body).join()}`;
  const [started] = await org.entries('system', {
    type: 'StartActivation',
    activationId,
    workerId: 'w-ada',
    triggers,
    attempt: 1,
    agent: { kind: 'command' },
    ranWith: { roles: [1], identity: 1, grants: 1 },
    content: [{ name: 'prompt', bytes: Buffer.from(prompt) }],
  });
  const at = new Date().toISOString();
  const all = ['=== activation: event ===', ...lines, '=== exit: ok ==='];
  org.journal.transcribe(
    all.map((line) => ({ worker: 'w-ada', activationId, at, ...(typeof line === 'string' ? { body: line } : line) })),
  );
  await org.commit('system', {
    type: 'EndActivation',
    activationId,
    workerId: 'w-ada',
    outcome: 'done',
    exit: 'ok',
    throughSeq: Math.max(...triggers),
    settled: triggers,
    parked: [],
    open: null,
    published: 0,
    changed: 0,
    usage: {},
  });
  return started!.seq;
}

const redact = (event: number, alsoErase: number[] = []) =>
  org.entries('w-owner', { type: 'RedactEvent', event, streamId: 's-in', alsoErase, reason: 'Asked to.' });

const transcriptOf = (worker = 'w-ada') =>
  org.queries
    .events([`s-activations-${worker}`], { limit: 1_000 })
    .map(({ body }) => body)
    .reverse();

/** What must hold after any redaction. */
function expectSound() {
  expect(verifyJournal(org.db).problems).toEqual([]);
  const before = dumpReadTables(org.db);
  rebuildReadTables(org.db);
  expect(dumpReadTables(org.db)).toBe(before);
}

describe('a redacted Event', () => {
  test('leaves no copy of its text in the data directory, the write-ahead log included', async () => {
    const seq = await org.publish('w-owner', 's-in', {
      from: `${MARKER}from`,
      subject: `${MARKER}subject`,
      body: `The ${MARKER}body.`,
      attachments: [{ filename: `${MARKER}file` }],
      extra: { raw: `${MARKER}extra` },
    });
    expect(copiesOf(MARKER)).not.toEqual([]);
    await redact(seq);
    expect(copiesOf(MARKER)).toEqual([]);
    expectSound();
    expect(verifyJournal(org.db).redacted).toBe(1);
  });

  test('keeps who, when, where and why, and is shown as redacted', async () => {
    const seq = await org.publish('w-owner', 's-in', MARKER);
    const before = org.queries.eventAt(seq)!;
    const [entry] = await redact(seq);
    expect(org.queries.eventAt(seq)).toEqual({
      id: before.id,
      seq,
      streamId: 's-in',
      source: 'w-owner',
      createdAt: before.createdAt,
      body: '',
      redacted: true,
    });
    expect(org.queries.event(before.id)?.redacted).toBe(true);
    expect(entry).toMatchObject({ actor: 'w-owner', subject: 's-in', event: { event: seq, reason: 'Asked to.' } });
  });

  test('loses every part of its content', async () => {
    const content = [...messageContent('a'), { name: 'raw', bytes: Buffer.from(`${MARKER}\0\xff`, 'latin1') }];
    const [entry] = await org.entries('transport:webhook', { type: 'Publish', streamId: 's-in', content });
    await redact(entry!.seq);
    expect(copiesOf(MARKER)).toEqual([]);
    expect(org.queries.entry(entry!.seq)?.content).toEqual([]);
    expectSound();
  });

  test('is shown to nobody any more and found in no thread', async () => {
    const seq = await org.publish('w-owner', 's-in', { body: MARKER, thread_id: 't-1' });
    const other = await org.publish('w-owner', 's-in', { body: 'other', thread_id: 't-1' });
    await redact(seq);
    expect(org.inbox.next('w-ada', { triggers: 20, bytes: 1_000 })?.triggers.map((entry) => entry.seq)).not.toContain(
      seq,
    );
    expect(org.queries.events(['s-in'], { thread: 't-1', limit: 10 }).map((event) => event.seq)).toEqual([other]);
    expectSound();
  });

  test('is forgotten by the search', async () => {
    const seq = await org.publish('w-owner', 's-in', `Find ${MARKER}`);
    const others = Array.from({ length: 50 }, (_, n) => org.publish('w-owner', 's-in', `Find other${n}`));
    await Promise.all(others);
    expect(org.queries.search.find(MARKER, { limit: 5 })).toEqual([seq]);
    await redact(seq);
    expect(org.queries.search.find(MARKER, { limit: 5 })).toEqual([]);
    expect(copiesOf(MARKER)).toEqual([]);
    expect(org.queries.search.find('other7', { limit: 5 })).toHaveLength(1);
  });

  test('before the search has come to it is never found', async () => {
    const seq = await org.publish('w-owner', 's-in', `Find ${MARKER}`);
    await redact(seq);
    expect(org.queries.search.find(MARKER, { limit: 5 })).toEqual([]);
    expect(copiesOf(MARKER)).toEqual([]);
  });

  test('no longer tells its digest, by which a short text could be guessed', async () => {
    const once = {
      stream: 's-in',
      provider: 'webhook',
      key: 'k',
      bodyDigest: Buffer.from('digest-of-yes'),
      refuseOtherBody: true,
    };
    const command = { type: 'Publish', streamId: 's-in', content: messageContent('yes') } as const;
    const [entry] = await org.entries('transport:webhook', command, { once });
    await redact(entry!.seq);
    expect(copiesOf('digest-of-yes')).toEqual([]);
    const again = await org.commit('transport:webhook', command, {
      once: { ...once, bodyDigest: Buffer.from('other') },
    });
    expect(again).toEqual({ entries: [], repeatOf: entry!.seq });
  });

  test('may be redacted twice', async () => {
    const seq = await org.publish('w-owner', 's-in', MARKER);
    await redact(seq);
    await redact(seq);
    expectSound();
    expect(verifyJournal(org.db).redacted).toBe(1);
  });
});

describe('the runs an Event woke', () => {
  test('lose prompt and transcript, but not that they were', async () => {
    const seq = await org.publish('w-owner', 's-in', `Say ${MARKER}`);
    const started = await run('a-1', [seq], ['I was told a secret.', { body: 'tool', extra: { text: MARKER } }]);
    await redact(seq, [started]);
    expect(copiesOf(MARKER, 'I was told a secret')).toEqual([]);
    expect(transcriptOf()).toEqual([
      '=== activation: event ===',
      '[redacted]',
      expect.stringMatching(/^(\[redacted\])?$/),
      '=== exit: ok ===',
    ]);
    expect(org.queries.activation('a-1')).toMatchObject({ state: 'done', triggers: [seq], exit: 'ok' });
    expect(org.queries.entry(started)?.content).toEqual([]);
    expect(verifyJournal(org.db).redacted).toBe(2);
    expectSound();
  });

  test('are found by the journal itself, also one that began in the same turn', async () => {
    const seq = await org.publish('w-owner', 's-in', `Say ${MARKER}`);
    const [, [entry]] = await Promise.all([run('a-1', [seq], []), redact(seq)]);
    expect(entry!.event).toMatchObject({ event: seq, alsoErased: [entry!.seq - 1] });
    expect(copiesOf(MARKER)).toEqual([]);
    expect(org.queries.entry(entry!.seq - 1)?.content).toEqual([]);
    expectSound();
  });

  test('cannot hide what they printed behind the look of our own lines', async () => {
    const seq = await org.publish('w-owner', 's-in', 'tell me');
    const started = await run(
      'a-1',
      [seq],
      [`=== ${MARKER}`, `=== exit: ${MARKER} ===`, `=== activation: ${MARKER} ===`],
    );
    await redact(seq, [started]);
    expect(copiesOf(MARKER)).toEqual([]);
  });
});

describe('other transcripts that quote the Event', () => {
  const body = [
    'Dear team,',
    `the password is "${MARKER}-q\\uote" and the`,
    `${MARKER}-second line\tafter a tab`,
    `日本語の秘密${MARKER}-utf 👩‍👩‍👧 is <b>${MARKER}-tag</b> & so on`,
    'Best regards',
  ].join('\r\n');

  test.each([
    ['as it is', (text: string) => text.split('\r\n')],
    ['as JSON', (text: string) => [JSON.stringify({ text })]],
    ['as JSON in JSON', (text: string) => [JSON.stringify(JSON.stringify({ text }))]],
    [
      'as JSON in ASCII',
      (text: string) => [
        JSON.stringify(text).replaceAll(
          /[\u007f-\uffff]/g,
          (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
        ),
      ],
    ],
    ['as HTML', (text: string) => [text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')]],
    ['in part', (text: string) => text.split('\r\n').map((line) => `> ${line.slice(2)} …`)],
  ])('lose those lines (%s)', async (_how, quote) => {
    const seq = await org.publish('w-owner', 's-in', { subject: `${MARKER} subject line`, body });
    const other = await org.publish('w-owner', 's-in', 'other');
    await run('a-2', [other], ['harmless', ...quote(body), `about ${MARKER} subject line`, 'also harmless']);
    await run('a-3', [other], [{ body: 'read_events', extra: { result: quote(body) } }]);
    await redact(seq);
    expect(copiesOf(MARKER)).toEqual([]);
    expect(transcriptOf()).toEqual(expect.arrayContaining(['harmless', 'also harmless', '=== exit: ok ===']));
    expectSound();
  });

  test('lose those lines also when no letter of them is ASCII', async () => {
    const secret = '日本語の秘密の言葉です';
    const seq = await org.publish('w-owner', 's-in', secret);
    const other = await org.publish('w-owner', 's-in', 'other');
    const escaped = [...secret].map((char) => `\\u${char.charCodeAt(0).toString(16)}`).join('');
    await run('a-2', [other], [`{"text":"${escaped}"}`, `> ${secret}!`, 'harmless']);
    await redact(seq);
    const kept = transcriptOf().filter((line) => !line.startsWith('==='));
    expect(kept).toEqual(['[redacted]', '[redacted]', 'harmless']);
  });

  test('keep what was said before it, and what only shares a word', async () => {
    const other = await org.publish('w-owner', 's-in', 'other');
    await run('a-2', [other], ['The password is in the safe']);
    const seq = await org.publish('w-owner', 's-in', 'The password is in the safe');
    await run('a-3', [other], ['password', 'The safe is shut']);
    await redact(seq);
    expect(transcriptOf()).toEqual(
      expect.arrayContaining(['The password is in the safe', 'password', 'The safe is shut']),
    );
  });
});

describe('erasing', () => {
  test('leaves no stray copy in the pages of the file, however Events lie in them', async () => {
    const sizes = fc.sample(
      fc.nat(15).map((n) => n ** 3 + (n % 7)),
      { numRuns: 4_000, seed: 4711 },
    );
    const publish = (n: number) => org.publish('w-owner', 's-in', `${MARKER}n${n}.${'x'.repeat(sizes[n]!)}`);
    const seqs = await Promise.all(sizes.map((_, n) => publish(n)));
    const erased = seqs.flatMap((seq, n) => (sizes[n]! % 3 === 0 ? [{ seq, text: `${MARKER}n${n}.` }] : []));
    await Promise.all(erased.map(({ seq }) => redact(seq)));
    expect(copiesOf(...erased.map(({ text }) => text))).toEqual([]);
    expect(copiesOf(MARKER)).toEqual([`org.db: ${MARKER}`]);
  });

  test('leaves no stray copy of a line whose neighbours were erased before it', async () => {
    const [first, second] = [
      await org.publish('w-owner', 's-in', 'first'),
      await org.publish('w-owner', 's-in', 'second'),
    ];
    const runs = [await run('a-1', [first], []), await run('a-2', [second], [])];
    const at = '2026-01-01T00:00:00.000Z';
    for (const [n, size] of fc.sample(fc.nat(799), { numRuns: 12_000, seed: 4711 }).entries()) {
      const text = `${MARKER}n${n}.${'x'.repeat(n % 2 ? size : size % 50)}`;
      const isShort = size % 5 < 3;
      const activationId = isShort ? 'a-1' : 'a-2';
      org.journal.transcribe([{ worker: 'w-ada', activationId, at, body: isShort ? 'y'.repeat(n % 4) : text }]);
    }
    await org.journal.flush();
    await redact(first, [runs[0]!]);
    await redact(second, [runs[1]!]);
    expect(copiesOf(MARKER)).toEqual([]);
  });

  test('reaches the write-ahead log as soon as a reader in its way is gone, without waiting for it', async () => {
    const seq = await org.publish('w-owner', 's-in', MARKER);
    const reader = new Database(join(directory, 'org.db'));
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM journal').get();
    const started = performance.now();
    await redact(seq);
    expect(performance.now() - started).toBeLessThan(2_000);
    reader.exec('ROLLBACK');
    reader.close();
    await org.publish('w-owner', 's-in', 'next');
    expect(copiesOf(MARKER)).toEqual([]);
  });

  test('is finished at the next start when the process died right after', async () => {
    const seq = await org.publish('w-owner', 's-in', MARKER);
    const reader = new Database(join(directory, 'org.db'));
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM journal').get();
    await redact(seq);
    reader.exec('ROLLBACK');
    expect(copiesOf(MARKER)).not.toEqual([]);
    (await testOrg(join(directory, 'org.db'))).journal.flush();
    expect(copiesOf(MARKER)).toEqual([]);
    reader.close();
  });

  test('goes through all of this whatever the text is made of', async () => {
    const texts = fc.sample(fc.string({ unit: 'binary', minLength: 12, maxLength: 200 }), { numRuns: 40, seed: 7 });
    const messages: Message[] = texts.map((text) => ({ body: text }));
    for (const message of messages) {
      const seq = await org.publish('w-owner', 's-in', message);
      await run(`a-${seq}`, [seq], [message.body!]);
      await redact(seq, [seq + 1]);
    }
    expectSound();
  });
});
