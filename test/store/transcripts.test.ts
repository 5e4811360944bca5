import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { EXTRA_MAX, pruneTranscripts, type TranscriptLine } from '../../src/store/transcripts.ts';
import { openOrg, staff, type TestOrg, testDirectory, testOrg } from '../support/org.ts';

let file: string;
let org: TestOrg;

beforeEach(async () => {
  file = join(testDirectory(), 'org.db');
  org = await staff(await testOrg(file));
});

const line = (day: number, body = `line of day ${day}`): TranscriptLine => ({
  worker: 'w-ada',
  activationId: 'a-1',
  at: `2026-01-0${day}T00:00:00.000Z`,
  body,
});

async function transcribe(...lines: TranscriptLine[]) {
  org.journal.transcribe(lines);
  await org.journal.flush();
}

const read = (from = org) => from.queries.events(['s-activations-w-ada'], { limit: 100 });
const bodies = () =>
  read()
    .map(({ body }) => body)
    .reverse();

describe('a transcript line', () => {
  test('is read as an Event of its Stream', async () => {
    await transcribe({ ...line(1, 'hello'), extra: { tool: 'publish' } });
    const [view] = read();
    expect(view).toEqual({
      id: expect.stringMatching(/^e-[0-9a-f-]{36}$/),
      seq: org.journal.lastSeq,
      streamId: 's-activations-w-ada',
      source: 'w-ada',
      body: 'hello',
      message: { from: 'w-ada', body: 'hello', extra: { tool: 'publish' } },
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(org.queries.event(view!.id)).toEqual(view);
    expect(org.queries.eventAt(view!.seq)).toEqual(view);
    expect(org.queries.lastSeqOf('s-activations-w-ada')).toBe(view!.seq);
  });

  test('has an id that no other Event has, and that no guess with its number finds', async () => {
    await transcribe(line(1));
    const { id } = read()[0]!;
    expect(org.queries.event(id.replace(/0$/, '1'))).toBeUndefined();
    expect(org.queries.entry(org.journal.lastSeq)).toBeUndefined();
  });

  test.each(['', ' ', 'a\0b', '🙂'.repeat(1_000), '"\\\n'])('keeps %j', async (body) => {
    await transcribe(line(1, body));
    expect(bodies()).toEqual([body]);
  });

  test('keeps what is beside the text up to a limit, and the text in any case', async () => {
    const fits = 'x'.repeat(EXTRA_MAX - 2);
    await transcribe(
      { ...line(1, 'fits'), extra: fits },
      { ...line(1, 'does not'), extra: `${fits}x` },
      { ...line(1, 'none'), extra: null },
    );
    expect(read().map(({ message }) => message?.extra)).toEqual([null, undefined, fits]);
    expect(bodies()).toEqual(['fits', 'does not', 'none']);
  });

  test('loses what cannot be written as JSON, not itself', async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    await transcribe(
      line(1, 'a'),
      { ...line(1, 'b'), extra: circular },
      { ...line(1, 'c'), extra: () => 1 },
      { ...line(1, 'd'), extra: 10n },
    );
    expect(bodies()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('pruning', () => {
  test('forgets what is older, the oldest first and no more than asked', async () => {
    await transcribe(line(1), line(2), line(3), line(4));
    expect(pruneTranscripts(org.db, '2026-01-04T00:00:00.000Z', 2)).toBe(2);
    expect(bodies()).toEqual(['line of day 3', 'line of day 4']);
    expect(pruneTranscripts(org.db, '2026-01-04T00:00:00.000Z', 10)).toBe(1);
    expect(pruneTranscripts(org.db, '2026-01-04T00:00:00.000Z', 10)).toBe(0);
    expect(bodies()).toEqual(['line of day 4']);
  });

  test('keeps a line that is young though an older one came after it', async () => {
    await transcribe(line(5), line(1), line(6));
    pruneTranscripts(org.db, '2026-01-04T00:00:00.000Z', 10);
    expect(bodies()).toEqual(['line of day 5', 'line of day 6']);
  });

  test('never lets a number be given twice, also after a restart', async () => {
    const { lastSeq: before } = org.journal;
    await transcribe(line(1), line(2));
    const taken = org.journal.lastSeq;
    expect(taken).toBe(before + 2);
    pruneTranscripts(org.db, '2026-02-01T00:00:00.000Z', 10);
    org.close();
    org = openOrg(file);
    expect(org.journal.lastSeq).toBe(taken);
    const [entry] = await org.entries('w-owner', { type: 'CreateRole', roleId: 'r-a', content: 'x' });
    expect(entry!.seq).toBe(taken + 1);
  });

  test('leaves the journal and its numbers alone', async () => {
    await transcribe(line(1));
    const seq = (await org.entries('w-owner', { type: 'CreateRole', roleId: 'r-a', content: 'x' }))[0]!.seq;
    pruneTranscripts(org.db, '2026-02-01T00:00:00.000Z', 10);
    expect(org.queries.entry(seq)?.event.type).toBe('RoleCreated');
    await transcribe(line(1));
    expect(org.journal.lastSeq).toBe(seq + 1);
  });
});
