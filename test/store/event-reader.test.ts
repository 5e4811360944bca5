import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventId } from '../../src/domain/ids.ts';
import { encodeMessage } from '../../src/domain/message.ts';
import type { EventRange } from '../../src/store/event-reader.ts';
import { hire, staff, stream, subscribe, type TestOrg, testOrg } from '../support/org.ts';

const bodies = (org: TestOrg, streamIds: string[], range: Partial<EventRange> = {}) =>
  org.queries.events(streamIds, { limit: 100, ...range }).map(({ body }) => body);

describe('an Event', () => {
  test('is shown with its Message, its source and its time', async () => {
    const org = await staff(await testOrg(undefined, { now: () => new Date('2026-01-02T03:04:05.006Z') }));
    await stream(org, 's-in');
    const message = { from: 'w-ada', to: ['x'], subject: 's', body: 'b', thread_id: 't', extra: { n: 1 } };
    const seq = await org.publish('w-ada', 's-in', message);
    const [view] = org.queries.events(['s-in'], { limit: 1 });
    expect(view).toEqual({
      id: expect.stringMatching(/^e-[0-9a-f-]{36}$/),
      seq,
      streamId: 's-in',
      source: 'w-ada',
      body: 'b',
      message,
      createdAt: '2026-01-02T03:04:05.006Z',
    });
    expect(org.queries.event(view!.id)).toEqual(view);
    expect(org.queries.eventAt(seq)).toEqual(view);
  });

  test('from outside or of the daemon has no source', async () => {
    const org = await testOrg();
    await stream(org, 's-in');
    await org.publish('transport:webhook', 's-in', 'x');
    await org.commit('system', { type: 'PostNotice', subject: 's', body: 'b' });
    expect(org.queries.events(['s-in', 's-notices'], { limit: 9 }).map(({ source }) => source)).toEqual(['', '']);
  });

  test('that is no Message is shown as it came', async () => {
    const org = await testOrg();
    await stream(org, 's-in');
    for (const bytes of [Buffer.from('plain ü'), Buffer.from('[1]'), Buffer.from([0xff, 0xfe])]) {
      await org.commit('system', { type: 'Publish', streamId: 's-in', content: [{ name: 'message', bytes }] });
    }
    const views = org.queries.events(['s-in'], { limit: 9 });
    expect(views.map(({ body }) => body)).toEqual(['\ufffd\ufffd', '[1]', 'plain ü']);
    expect(views.every((view) => view.message === undefined && view.redacted === undefined)).toBe(true);
  });

  test('keeps big numbers and every byte of what came beside the Message', async () => {
    const org = await testOrg();
    await stream(org, 's-in');
    const raw = '{"id": 12345678901234567890,"u":"\\ud83d\\ude00"}';
    const content = [{ name: 'message', bytes: encodeMessage({ body: 'b' }, raw) }];
    const [entry] = await org.entries('transport:webhook', { type: 'Publish', streamId: 's-in', content });
    expect(Buffer.from(org.queries.entry(entry!.seq)!.content[0]!.bytes).toString()).toBe(
      `{"body":"b","extra":${raw}}`,
    );
    expect(JSON.stringify(org.queries.eventAt(entry!.seq)!.message!.extra)).toBe(
      '{"id":12345678901234567890,"u":"😀"}',
    );
  });

  test('is found by its whole id alone', async () => {
    const org = await testOrg();
    await stream(org, 's-in');
    const seq = await org.publish('w-owner', 's-in', 'x');
    expect(org.queries.event(eventId(seq, new Uint8Array(10)))).toBeUndefined();
    expect(org.queries.event('e-1')).toBeUndefined();
    expect(org.queries.event('')).toBeUndefined();
    expect(org.queries.eventAt(1)).toBeUndefined();
    expect(org.queries.event(eventId(1, new Uint8Array(10)))).toBeUndefined();
  });

  test('is read on after its Stream was deleted, and after its author was fired', async () => {
    const org = await staff(await testOrg());
    await stream(org, 's-in');
    await org.publish('w-ada', 's-in', 'x');
    await org.commit('w-owner', { type: 'DeleteStream', streamId: 's-in' });
    await org.commit('w-owner', { type: 'FireWorker', workerId: 'w-ada' });
    expect(bodies(org, ['s-in'])).toEqual(['x']);
  });
});

describe('reading a Stream', () => {
  test('pages backwards and forwards by seq, newest first, without a gap or a repeat', async () => {
    const org = await testOrg();
    await stream(org, 's-in');
    const seqs: number[] = [];
    for (let n = 0; n < 10; n++) seqs.push(await org.publish('w-owner', 's-in', `${n}`));
    expect(bodies(org, ['s-in'], { limit: 3 })).toEqual(['9', '8', '7']);
    expect(bodies(org, ['s-in'], { limit: 3, before: seqs[7]! })).toEqual(['6', '5', '4']);
    expect(bodies(org, ['s-in'], { after: seqs[7]! })).toEqual(['9', '8']);
    expect(bodies(org, ['s-in'], { after: seqs[2]!, before: seqs[5]! })).toEqual(['4', '3']);
    expect(bodies(org, ['s-in'], { after: seqs[9]! })).toEqual([]);
  });

  test('that is not there gives nothing', async () => {
    const org = await testOrg();
    expect(bodies(org, ['s-none'])).toEqual([]);
    expect(bodies(org, [])).toEqual([]);
    expect(bodies(org, ['s-activations-w-none'])).toEqual([]);
    expect(org.queries.lastSeqOf('s-none')).toBe(0);
  });

  test('of one thread gives that thread', async () => {
    const org = await testOrg();
    await stream(org, 's-in');
    await stream(org, 's-other');
    for (const [streamId, thread] of [
      ['s-in', 'a'],
      ['s-in', 'b'],
      ['s-other', 'a'],
      ['s-in', 'a'],
    ] as const) {
      await org.publish('w-owner', streamId, { body: `${streamId} ${thread}`, thread_id: thread });
    }
    await org.publish('w-owner', 's-in', 'none');
    expect(bodies(org, ['s-in'], { thread: 'a' })).toEqual(['s-in a', 's-in a']);
    expect(bodies(org, ['s-in', 's-other'], { thread: 'a' })).toEqual(['s-in a', 's-other a', 's-in a']);
    expect(bodies(org, ['s-in', 's-other'], { thread: 'c' })).toEqual([]);
  });
});

describe('reading many Streams', () => {
  type Published = { seq: number; streamId: string; thread: string | undefined };
  const STREAMS = ['s-a', 's-b', 's-c', 's-d', 's-quiet', 's-activations-w-ada', 's-activations-w-kid'];

  async function busyOrg(): Promise<{ org: TestOrg; all: Published[] }> {
    const org = await staff(await testOrg());
    await hire(org, 'w-kid');
    for (const id of STREAMS.slice(0, 5)) await stream(org, id);
    const all: Published[] = [];
    const shape = fc.record({
      streamId: fc.constantFrom(...STREAMS.filter((id) => id !== 's-quiet')),
      thread: fc.option(fc.constantFrom('t', 'u')),
    });
    for (const { streamId, thread } of fc.sample(shape, { numRuns: 250, seed: 11 })) {
      if (streamId.startsWith('s-activations-')) {
        org.journal.transcribe([
          { worker: streamId.slice(14), activationId: 'a-1', at: '2026-01-01T00:00:00.000Z', body: 'x' },
        ]);
        await org.journal.flush();
        all.push({ seq: org.journal.lastSeq, streamId, thread: undefined });
      } else {
        const seq = await org.publish('w-owner', streamId, thread === null ? 'x' : { body: 'x', thread_id: thread });
        all.push({ seq, streamId, thread: thread ?? undefined });
      }
    }
    return { org, all };
  }

  test('gives what reading everything and sorting it would give', async () => {
    const { org, all } = await busyOrg();
    const last = all.at(-1)!.seq;
    const bound = fc.option(fc.integer({ min: 0, max: last + 2 }), { nil: undefined });
    const question = fc.record({
      streamIds: fc.array(fc.constantFrom(...STREAMS, 's-none'), { maxLength: 9 }),
      after: bound,
      before: bound,
      limit: fc.integer({ min: 1, max: 40 }),
      thread: fc.option(fc.constantFrom('t', 'u', 'none'), { nil: undefined, freq: 3 }),
    });
    fc.assert(
      fc.property(question, ({ streamIds, after, before, limit, thread }) => {
        const range = {
          limit,
          ...(after === undefined ? {} : { after }),
          ...(before === undefined ? {} : { before }),
          ...(thread === undefined ? {} : { thread }),
        };
        const expected = all
          .filter((event) => streamIds.includes(event.streamId))
          .filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Number.MAX_SAFE_INTEGER))
          .filter((event) => thread === undefined || event.thread === thread)
          .map(({ seq }) => seq)
          .reverse()
          .slice(0, limit);
        expect(org.queries.events(streamIds, range).map(({ seq }) => seq)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('knows the newest number of each', async () => {
    const { org, all } = await busyOrg();
    for (const id of STREAMS) {
      expect(org.queries.lastSeqOf(id)).toBe(all.findLast(({ streamId }) => streamId === id)?.seq ?? 0);
    }
  });
});

test('the whole journal is read in order, page by page', async () => {
  const org = await staff(await testOrg());
  await stream(org, 's-in');
  await subscribe(org, 'w-ada', 's-in');
  const all = org.queries.entriesAfter(0, 1_000).map(({ seq }) => seq);
  expect(all).toEqual(Array.from({ length: org.journal.lastSeq }, (_, index) => index + 1));
  expect(org.queries.entriesAfter(3, 2).map(({ seq }) => seq)).toEqual([4, 5]);
  expect(org.queries.entriesAfter(org.journal.lastSeq, 10)).toEqual([]);
});
