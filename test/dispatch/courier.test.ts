import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rebuildReadTables } from '../../src/store/rebuild.ts';
import { until } from '../support/dispatch.ts';
import { DISK_FULL, refuseCommits } from '../support/dispatcher.ts';
import { testDirectory, typesOf } from '../support/org.ts';
import { gone, HOUR, later, MINUTE, never, openSending, type Sending, type Target } from '../support/sending.ts';

async function sending(target?: Target): Promise<Sending> {
  const stage = await openSending(target ? { target } : {});
  await stage.stream('s-out');
  return stage;
}

/** A target that fails until it is told to work. */
function moody() {
  const mood = { isDown: true };
  return { mood, target: (() => void (mood.isDown && fail())) as Target };
}

function fail(): never {
  throw later();
}

describe('an Event of a Worker', () => {
  test('leaves once, and the fact that it did is journaled with what it left under', async () => {
    const stage = await sending(() => ({ messageId: '<1@x>', detail: 'HTTP 200' }));
    const seq = await stage.publish('s-out', 'hello');
    await stage.idle();
    expect(stage.bodies()).toEqual(['hello']);
    const [, fact] = stage.queries.entriesAfter(seq - 1, 10);
    expect(fact).toMatchObject({
      causedBy: seq,
      actor: 'system',
      event: {
        type: 'EventDelivered',
        event: seq,
        streamId: 's-out',
        attempts: 1,
        messageId: '<1@x>',
        detail: 'HTTP 200',
      },
    });
    expect(stage.row(seq)).toMatchObject({ state: 'delivered', attempts: 1, messageId: '<1@x>', worker: 'w-ada' });
    expect(stage.pending()).toBe(0);
  });

  test('is found again by the id it left under', async () => {
    const stage = await sending(({ body }) => ({ messageId: `<${body}@x>` }));
    const seq = await stage.publish('s-out', 'one');
    await stage.publish('s-out', 'two');
    await stage.idle();
    expect(stage.queries.eventOfSentMessageId('<one@x>')).toEqual({ seq, stream: 's-out', recipient: null });
    expect(stage.queries.eventOfSentMessageId('<three@x>')).toBeUndefined();
  });

  test('of the daemon leaves as well; what came in from outside does not, nor what its transport keeps', async () => {
    const stage = await sending();
    await stage.publish('s-out', 'from outside', 'transport:post');
    await stage.publish('s-out', { body: 'kept', subject: 'stay' });
    const update = { type: 'UpdateStream', streamId: 's-notices', transport: { kind: 'post', config: {} } } as const;
    await stage.commit('w-owner', update);
    await stage.commit('system', { type: 'PostNotice', subject: 'Disk', body: 'nearly full' });
    await stage.idle();
    expect(stage.bodies()).toEqual(['nearly full']);
  });
});

describe('order', () => {
  test('is kept within a lane, whatever else is in flight', async () => {
    const stage = await sending(async () => {
      await new Promise((resolve) => setImmediate(resolve));
    });
    for (const n of [1, 2, 3, 4, 5, 6])
      for (const thread of ['a', 'b']) await stage.publish('s-out', { body: `${thread}${n}`, thread_id: thread });
    await stage.idle();
    const of = (thread: string) => stage.bodies().filter((body) => body.startsWith(thread));
    expect(of('a')).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
    expect(of('b')).toEqual(['b1', 'b2', 'b3', 'b4', 'b5', 'b6']);
  });

  test('holds up a lane behind one that fails, and no other lane', async () => {
    const stage = await sending(({ body }) => void (body === 'a1' && fail()));
    await stage.publish('s-out', { body: 'a1', thread_id: 'a' });
    await stage.publish('s-out', { body: 'a2', thread_id: 'a' });
    await stage.publish('s-out', { body: 'b1', thread_id: 'b' });
    await stage.pass(6_000);
    expect(stage.bodies()).toEqual(['a1', 'b1']);
    stage.target = () => {};
    await stage.pass(15_000);
    expect(stage.bodies()).toEqual(['a1', 'b1', 'a1', 'a2']);
  });
});

describe('a failed attempt', () => {
  test('comes again, under the same id, ten times within a day; then it is a dead letter with one notice', async () => {
    const stage = await sending(fail);
    const seq = await stage.publish('s-out', 'hello');
    const beginning = stage.clock.now().getTime();
    for (let minutes = 0; minutes < 25 * 60; minutes += 5) await stage.pass(5 * MINUTE);
    expect(stage.tried).toHaveLength(10);
    expect(new Set(stage.tried.map(({ deliveryId }) => deliveryId)).size).toBe(1);
    const times = stage.tried.map(({ at }) => at - beginning);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(gaps.slice(2)).toEqual([...gaps.slice(2)].sort((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(20 * HOUR);
    expect(times.at(-1)).toBeLessThanOrEqual(24 * HOUR + 5 * MINUTE);
    expect(stage.row(seq)).toMatchObject({ state: 'dead', attempts: 10, reason: 'the target answered 503' });
    expect(stage.notices()).toEqual(['The target of s-out cannot be reached']);
    expect(stage.pending()).toBe(0);
    expect(stage.attemptsFailed).toHaveLength(10);
    await stage.pass(48 * HOUR);
    expect(stage.tried).toHaveLength(10);
  });

  test('shows when it comes again and why it failed', async () => {
    const stage = await sending(fail);
    const seq = await stage.publish('s-out', 'hello');
    await stage.idle();
    expect(stage.row(seq)).toMatchObject({ state: 'queued', attempts: 1, lastError: 'the target answered 503' });
    expect(Date.parse(stage.row(seq)?.nextAt ?? '') - stage.clock.now().getTime()).toBe(10_000);
  });

  test('comes back spread, not all at the same moment', async () => {
    const pauses = new Set<number>();
    for (const value of [0, 0.3, 1]) {
      const stage = await openSending({ target: fail, random: () => value });
      await stage.stream('s-out');
      const seq = await stage.publish('s-out', 'hello');
      await stage.idle();
      pauses.add(Date.parse(stage.row(seq)?.nextAt ?? '') - stage.clock.now().getTime());
    }
    expect([...pauses]).toEqual([8_000, 9_200, 12_000]);
  });

  test('comes when the target wishes, if it says so, but within the day', async () => {
    const stage = await sending(() => {
      throw later(2 * HOUR);
    });
    const seq = await stage.publish('s-out', 'hello');
    await stage.idle();
    await stage.pass(HOUR);
    await stage.pass(59 * MINUTE);
    expect(stage.tried).toHaveLength(1);
    await stage.pass(2 * MINUTE);
    expect(stage.tried).toHaveLength(2);
    stage.target = () => {
      throw later(10_000 * HOUR);
    };
    await stage.pass(2 * HOUR);
    await stage.pass(21 * HOUR);
    expect(stage.tried.length).toBe(4);
    expect(stage.state(seq)).toBe('dead');
  });

  test('is one that takes longer than its time, even when the transport does not heed that', async () => {
    const stage = await sending(() => new Promise(() => {}));
    const seq = await stage.publish('s-out', 'hello');
    await until(() => stage.tried.length === 1);
    await stage.pass(5_000);
    expect(stage.row(seq)).toMatchObject({ state: 'queued', lastError: 'no answer within 5 s' });
  });

  test('for good is not repeated: a dead letter at once, with a notice that names the Event', async () => {
    const stage = await sending(() => {
      throw never();
    });
    const seq = await stage.publish('s-out', 'hello');
    await stage.pass(HOUR);
    expect(stage.tried).toHaveLength(1);
    expect(stage.row(seq)).toMatchObject({ state: 'dead', attempts: 1, reason: 'the target answered 400' });
    const [notice] = stage.queries.events(['s-notices'], { limit: 1 });
    expect(notice?.body).toContain(stage.queries.eventAt(seq)?.id);
  });

  test('of many messages is announced a few times, not each time', async () => {
    const stage = await sending(() => {
      throw never();
    });
    for (let n = 0; n < 10; n++) await stage.publish('s-out', `${n}`);
    await stage.idle();
    expect(stage.queries.outboundHealth('s-out').dead).toBe(10);
    expect(stage.notices()).toHaveLength(3);
  });

  test('of a notice leads to no other notice', async () => {
    const stage = await sending(() => {
      throw never();
    });
    await stage.commit('w-owner', {
      type: 'UpdateStream',
      streamId: 's-notices',
      transport: { kind: 'post', config: {} },
    });
    await stage.commit('system', { type: 'PostNotice', subject: 'Disk', body: 'full' });
    await stage.idle();
    expect(stage.notices()).toEqual(['Disk']);
    expect(stage.queries.outboundHealth('s-notices').dead).toBe(1);
  });

  test('that is a bug of the transport is tried again, and does not end the courier', async () => {
    const stage = await sending(() => {
      throw new TypeError('undefined is not a function');
    });
    const seq = await stage.publish('s-out', 'hello');
    await stage.idle();
    stage.target = () => {};
    await stage.pass(MINUTE);
    expect([stage.state(seq), stage.tried.length]).toEqual(['delivered', 2]);
  });
});

describe('a target that is down', () => {
  test('is left alone but for one probe now and then, and gets everything when it is back', async () => {
    const { mood, target } = moody();
    const stage = await sending(target);
    for (let n = 0; n < 100; n++) await stage.publish('s-out', { body: `${n}`, thread_id: `${n}` });
    await stage.idle();
    expect(stage.tried).toHaveLength(1);
    for (let minute = 0; minute < 60; minute++) await stage.pass(MINUTE);
    // 5, 10, 20 … 300 s apart, where a target that fails each message by itself would have been asked hundreds of times.
    expect(stage.tried.length).toBeLessThan(25);
    expect(stage.tried.length).toBeGreaterThan(10);
    mood.isDown = false;
    await stage.pass(5 * MINUTE);
    await stage.pass(10 * MINUTE);
    await stage.pass(HOUR);
    expect(stage.queries.outboundHealth('s-out')).toMatchObject({ queued: 0, dead: 0 });
    expect(new Set(stage.bodies()).size).toBe(100);
  });

  test('delays no other Stream', async () => {
    const stage = await sending(({ streamId }) => (streamId === 's-out' ? new Promise(() => {}) : undefined));
    await stage.stream('s-well');
    for (let n = 0; n < 50; n++) await stage.publish('s-out', { body: `${n}`, thread_id: `${n}` });
    for (let n = 0; n < 20; n++) await stage.publish('s-well', { body: `well ${n}`, thread_id: `${n}` });
    await until(() => stage.bodies().filter((body) => body.startsWith('well')).length === 20);
    expect(stage.tried.filter(({ streamId }) => streamId === 's-out').length).toBeLessThanOrEqual(4);
  });

  test('for a day makes dead letters of all that waited so long, with one notice, and is tried on for what is newer', async () => {
    const { mood, target } = moody();
    const stage = await sending(target);
    for (let n = 0; n < 30; n++) await stage.publish('s-out', { body: `old ${n}`, thread_id: `${n}` });
    for (let minutes = 0; minutes < 24 * 60; minutes += 5) await stage.pass(5 * MINUTE);
    const newer = await stage.publish('s-out', { body: 'newer', thread_id: 'n' });
    for (let minutes = 0; minutes < 60; minutes += 5) await stage.pass(5 * MINUTE);
    expect(stage.queries.outboundHealth('s-out')).toMatchObject({ dead: 30, queued: 1 });
    expect(stage.notices()).toEqual(['The target of s-out cannot be reached']);
    mood.isDown = false;
    for (let minutes = 0; minutes < 120; minutes += 5) await stage.pass(5 * MINUTE);
    expect(stage.state(newer)).toBe('delivered');
  });

  test('gets little at a time of much that waited, one at first', async () => {
    let [atOnce, most] = [0, 0];
    const stage = await sending(async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
    });
    await stage.commit('w-owner', { type: 'PauseOrg' });
    for (let n = 0; n < 100; n++) await stage.publish('s-out', { body: `${n}`, thread_id: `${n}` });
    await stage.commit('w-owner', { type: 'ResumeOrg' });
    await stage.idle();
    expect(stage.tried).toHaveLength(100);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe('a target that is gone', () => {
  test('stops the sending of its Stream, visibly, until a person resumes it', async () => {
    const stage = await sending(() => {
      throw gone();
    });
    const first = await stage.publish('s-out', 'first');
    await stage.idle();
    expect(stage.state(first)).toBe('dead');
    expect(stage.journal.org.streams.get('s-out')?.sendingStopped).toBe('the target answered 410 Gone');
    expect(stage.notices()).toEqual(['The target of s-out is gone']);
    const second = await stage.publish('s-out', 'second');
    await stage.pass(48 * HOUR);
    expect([stage.tried.length, stage.state(second)]).toEqual([1, 'queued']);
    stage.target = () => {};
    await stage.commit('w-owner', { type: 'ResumeSending', streamId: 's-out' });
    await stage.idle();
    expect([stage.bodies(), stage.state(second)]).toEqual([['first', 'second'], 'delivered']);
  });

  test.each(['retry of the dead letter', 'its transport named again'])('sends again after %s', async (how) => {
    const stage = await sending(() => {
      throw gone();
    });
    const seq = await stage.publish('s-out', 'first');
    await stage.idle();
    stage.target = () => {};
    const transport = { kind: 'post', config: {} };
    if (how.startsWith('retry'))
      await stage.commit('w-owner', { type: 'RequeueDeliveries', from: 'failed', ...stage.named(seq) });
    else await stage.commit('w-owner', { type: 'UpdateStream', streamId: 's-out', transport });
    const next = await stage.publish('s-out', 'next');
    await stage.idle();
    expect(stage.state(next)).toBe('delivered');
    expect(stage.state(seq)).toBe(how.startsWith('retry') ? 'delivered' : 'dead');
    expect(stage.journal.org.streams.get('s-out')?.sendingStopped).toBeNull();
  });

  test('stays gone after a restart', async () => {
    const copy = join(testDirectory(), 'copy.db');
    const stage = await sending(() => {
      throw gone();
    });
    await stage.publish('s-out', 'first');
    await stage.idle();
    await stage.publish('s-out', 'second');
    await stage.dieInto(copy);
    const next = await openSending({ file: copy });
    await next.pass(HOUR);
    expect(next.tried).toEqual([]);
  });
});

describe('what is held', () => {
  test('on a Stream that holds leaves when a person releases it, one by one, in their order of release', async () => {
    const stage = await openSending();
    await stage.stream('s-out', { hold: true });
    const [one, two, three] = [
      await stage.publish('s-out', '1'),
      await stage.publish('s-out', '2'),
      await stage.publish('s-out', '3'),
    ];
    await stage.pass(HOUR);
    expect([stage.bodies(), stage.state(one)]).toEqual([[], 'held']);
    const release = (seq: number, actor = 'w-owner') =>
      stage.commit(actor, { type: 'RequeueDeliveries', from: 'held', ...stage.named(seq) });
    await release(two);
    await stage.idle();
    await release(one, 'w-eve');
    await stage.idle();
    expect(stage.bodies()).toEqual(['2', '1']);
    expect(stage.state(three)).toBe('held');
    await expect(release(one)).rejects.toThrow(/neither held nor dead/);
  });

  test('is not released by an AI Worker', async () => {
    const stage = await openSending();
    await stage.stream('s-out', { hold: true });
    const seq = await stage.publish('s-out', '1');
    const release = { type: 'RequeueDeliveries', from: 'held', ...stage.named(seq) } as const;
    await expect(stage.commit('w-ada', release)).rejects.toMatchObject({ code: 'forbidden' });
    await stage.idle();
    expect(stage.tried).toEqual([]);
  });

  test('is given up by discarding it', async () => {
    const stage = await openSending();
    await stage.stream('s-out', { hold: true });
    const seq = await stage.publish('s-out', '1');
    await stage.commit('w-owner', { type: 'DiscardDeliveries', ...stage.named(seq) });
    await stage.pass(HOUR);
    expect([stage.tried, stage.state(seq), stage.pending()]).toEqual([[], 'discarded', 0]);
  });

  test('includes what waits when a Stream begins to hold, but not what was released since', async () => {
    const stage = await sending(fail);
    const seq = await stage.publish('s-out', '1');
    await stage.idle();
    await stage.commit('w-owner', { type: 'UpdateStream', streamId: 's-out', hold: true });
    stage.target = () => {};
    await stage.pass(HOUR);
    expect([stage.tried.length, stage.state(seq)]).toEqual([1, 'held']);
    stage.target = fail;
    await stage.commit('w-owner', { type: 'RequeueDeliveries', from: 'held', ...stage.named(seq) });
    await stage.idle();
    await stage.commit('w-owner', { type: 'UpdateStream', streamId: 's-out', name: 'Renamed' });
    stage.target = () => {};
    await stage.pass(HOUR);
    expect(stage.state(seq)).toBe('delivered');
  });

  test('because its Event is too far from its cause leaves with the release of the Event', async () => {
    const stage = await sending();
    const cause = { causedBy: 1, root: 1, hops: 8 };
    const seq = await stage.publish('s-out', 'loop', 'w-ada', { cause });
    await stage.pass(HOUR);
    expect([stage.state(seq), stage.tried, stage.notices()]).toEqual(['stopped', [], ['Loop stopped on s-out']]);
    await stage.commit('w-owner', { type: 'ReleaseEvent', event: seq, streamId: 's-out' });
    await stage.idle();
    expect(stage.state(seq)).toBe('delivered');
    const other = await stage.publish('s-out', 'loop', 'w-ada', { cause });
    await stage.commit('w-owner', { type: 'DiscardEvent', event: other, streamId: 's-out' });
    await stage.pass(HOUR);
    expect([stage.state(other), stage.tried.length, stage.pending()]).toEqual(['discarded', 1, 0]);
  });
});

describe('a pause', () => {
  test('of the org lets nothing leave until it is resumed', async () => {
    const stage = await sending();
    await stage.commit('w-owner', { type: 'PauseOrg' });
    const seq = await stage.publish('s-out', '1');
    await stage.pass(HOUR);
    expect([stage.tried, stage.state(seq)]).toEqual([[], 'queued']);
    await stage.commit('w-owner', { type: 'ResumeOrg' });
    await stage.idle();
    expect(stage.bodies()).toEqual(['1']);
  });

  test('of a Worker holds what it published and nothing else', async () => {
    const stage = await sending(fail);
    const seq = await stage.publish('s-out', 'of ada');
    await stage.publish('s-out', 'of eve', 'w-eve');
    await stage.idle();
    stage.target = () => {};
    await stage.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ada' });
    await stage.pass(HOUR);
    expect(stage.bodies()).toEqual(['of ada', 'of eve']);
    expect(stage.state(seq)).toBe('paused');
    await stage.commit('w-owner', { type: 'ResumeWorker', workerId: 'w-ada' });
    await stage.idle();
    expect(stage.bodies()).toEqual(['of ada', 'of eve', 'of ada']);
  });

  test('that ends in a firing leaves it to a person', async () => {
    const stage = await sending(fail);
    const seq = await stage.publish('s-out', 'of ada');
    await stage.idle();
    await stage.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ada' });
    await stage.commit('w-owner', { type: 'FireWorker', workerId: 'w-ada' });
    stage.target = () => {};
    await stage.pass(HOUR);
    expect(stage.row(seq)).toMatchObject({ state: 'held', reason: 'its Worker was fired' });
    await stage.commit('w-owner', { type: 'RequeueDeliveries', from: 'held', ...stage.named(seq) });
    await stage.idle();
    expect(stage.state(seq)).toBe('delivered');
  });
});

describe('what is no longer to leave', () => {
  test.each(['deleting its Stream', 'redacting the Event', 'discarding it'])('does not after %s', async (how) => {
    const stage = await sending(fail);
    const seq = await stage.publish('s-out', '1');
    const behind = await stage.publish('s-out', '2');
    await stage.idle();
    stage.target = () => {};
    if (how.startsWith('deleting')) await stage.commit('w-owner', { type: 'DeleteStream', streamId: 's-out' });
    else if (how.startsWith('redacting'))
      await stage.commit('w-owner', { type: 'RedactEvent', event: seq, streamId: 's-out', alsoErase: [], reason: 'x' });
    else await stage.commit('w-owner', { type: 'DiscardDeliveries', ...stage.named(seq) });
    await stage.pass(HOUR);
    expect(stage.state(seq)).toBe('discarded');
    expect(stage.state(behind)).toBe(how.startsWith('deleting') ? 'discarded' : 'delivered');
    expect(stage.pending()).toBe(0);
  });

  test('but is under way in that moment is recorded as it went', async () => {
    let finish = () => {};
    const stage = await sending(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const seq = await stage.publish('s-out', '1');
    await until(() => stage.tried.length === 1);
    expect(stage.courier.isDelivering(stage.row(seq)?.id ?? '')).toBe(true);
    await stage.commit('w-owner', { type: 'DiscardDeliveries', ...stage.named(seq) });
    finish();
    await stage.idle();
    expect(stage.state(seq)).toBe('delivered');
  });

  test('and fails in that moment stays given up', async () => {
    let refuse = (_error: Error) => {};
    const stage = await sending(
      () =>
        new Promise<void>((_resolve, reject) => {
          refuse = reject;
        }),
    );
    const seq = await stage.publish('s-out', '1');
    await until(() => stage.tried.length === 1);
    await stage.commit('w-owner', { type: 'DiscardDeliveries', ...stage.named(seq) });
    refuse(never());
    await stage.pass(HOUR);
    expect([stage.state(seq), stage.tried.length, stage.notices()]).toEqual(['discarded', 1, []]);
  });
});

describe('a retry by hand', () => {
  test('sends a dead letter again from its first attempt, under the same id', async () => {
    const stage = await sending(() => {
      throw never();
    });
    const seq = await stage.publish('s-out', '1');
    await stage.idle();
    stage.target = fail;
    const retry = () => stage.commit('w-owner', { type: 'RequeueDeliveries', from: 'failed', ...stage.named(seq) });
    await retry();
    await stage.idle();
    expect(stage.row(seq)).toMatchObject({ state: 'queued', attempts: 1 });
    // It need not wait for its next attempt either.
    stage.target = () => {};
    await retry();
    await stage.idle();
    expect(stage.state(seq)).toBe('delivered');
    expect(new Set(stage.tried.map(({ deliveryId }) => deliveryId)).size).toBe(1);
    await expect(retry()).rejects.toMatchObject({ code: 'conflict' });
  });

  test('is refused when the Stream sends nothing any more', async () => {
    const stage = await sending(() => {
      throw never();
    });
    const seq = await stage.publish('s-out', '1');
    await stage.idle();
    const local = { kind: 'local', config: {} };
    await stage.commit('w-owner', { type: 'UpdateStream', streamId: 's-out', transport: local });
    const retry = { type: 'RequeueDeliveries', from: 'failed', ...stage.named(seq) } as const;
    await expect(stage.commit('w-owner', retry)).rejects.toThrow(/see get_stream/);
  });
});

describe('a restart', () => {
  test('finds what was queued, retrying, held and in flight as it was', async () => {
    const copy = join(testDirectory(), 'copy.db');
    const stage = await openSending({ target: ({ body }) => (body === 'flies' ? new Promise(() => {}) : fail()) });
    for (const id of ['s-fly', 's-out']) await stage.stream(id);
    await stage.stream('s-held', { hold: true });
    const flies = await stage.publish('s-fly', 'flies');
    const waits = await stage.publish('s-out', 'waits');
    const behind = await stage.publish('s-out', 'behind');
    const held = await stage.publish('s-held', 'held');
    await until(() => stage.tried.length === 2 && stage.row(waits)?.attempts === 1);
    await stage.dieInto(copy);
    const next = await openSending({ file: copy, clock: stage.clock });
    await next.idle();
    expect(next.tried.map(({ body, deliveryId }) => [body, deliveryId])).toEqual([
      ['flies', stage.tried.find(({ body }) => body === 'flies')?.deliveryId],
    ]);
    await next.pass(MINUTE);
    expect(next.bodies()).toEqual(['flies', 'waits', 'behind']);
    expect([flies, waits, behind, held].map(next.state)).toEqual(['delivered', 'delivered', 'delivered', 'held']);
    expect(next.row(waits)?.attempts).toBe(2);
  });

  test('of a daemon that stops lets what is in flight end, and leaves the rest', async () => {
    let finish = () => {};
    const stage = await sending(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const [one, two] = [await stage.publish('s-out', '1'), await stage.publish('s-out', '2')];
    await until(() => stage.tried.length === 1);
    const stopped = stage.courier.stop();
    finish();
    await stopped;
    await stage.journal.flush();
    expect([stage.state(one), stage.state(two), stage.tried.length]).toEqual(['delivered', 'queued', 1]);
  });

  test('does not wait for a target that does not answer, and does not count that as an attempt', async () => {
    const copy = join(testDirectory(), 'copy.db');
    const stage = await sending(() => new Promise(() => {}));
    const seq = await stage.publish('s-out', '1');
    await until(() => stage.tried.length === 1);
    await stage.courier.stop();
    expect(stage.row(seq)).toMatchObject({ state: 'queued', attempts: 0 });
    await stage.dieInto(copy);
    const next = await openSending({ file: copy });
    await next.idle();
    expect(next.row(seq)).toMatchObject({ state: 'delivered', attempts: 1 });
  });
});

test('a rebuild makes the same deliveries again and touches nothing that is still to leave', async () => {
  const stage = await sending(({ body }) => (body === 'taken' ? { messageId: '<1@x>' } : fail()));
  await stage.publish('s-out', 'taken');
  await stage.idle();
  await stage.publish('s-out', 'waits');
  await stage.idle();
  const dump = (table: string) => stage.db.sqlite.prepare(`SELECT * FROM ${table} ORDER BY id`).raw().all();
  const before = [dump('deliveries'), dump('outbox')];
  rebuildReadTables(stage.db);
  expect([dump('deliveries'), dump('outbox')]).toEqual(before);
  stage.db.sqlite.exec('DELETE FROM outbox');
  rebuildReadTables(stage.db);
  expect(dump('outbox')).toEqual([]);
});

test('a delivery that cannot be recorded is recorded later and not sent twice', async () => {
  const stage = await sending();
  let isFull = false;
  refuseCommits(stage, (newest) => (isFull && newest === 'EventDelivered' ? DISK_FULL : undefined));
  isFull = true;
  const seq = await stage.publish('s-out', '1');
  await until(() => stage.failures.length > 0);
  expect(stage.state(seq)).toBe('queued');
  isFull = false;
  stage.clock.advance(5_000);
  await stage.idle();
  expect([stage.state(seq), stage.tried.length]).toEqual(['delivered', 1]);
});

test('publishing never waits for a target, and its facts come in one transaction', async () => {
  const stage = await sending(() => new Promise(() => {}));
  const { entries } = await stage.commit('w-ada', {
    type: 'Publish',
    streamId: 's-out',
    content: [{ name: 'message', bytes: Buffer.from('{"body":"1"}') }],
  });
  expect(typesOf(entries)).toEqual(['EventPublished']);
  expect(stage.tried).toEqual([]);
  expect(stage.pending()).toBe(1);
});

test('attention shows what waits for a person, oldest first', async () => {
  const stage = await sending(() => {
    throw never();
  });
  await stage.stream('s-held', { hold: true });
  const [held, dead] = [await stage.publish('s-held', '1'), await stage.publish('s-out', '2')];
  await stage.idle();
  expect(stage.queries.outboundAttention(10).map(({ seq, state }) => [seq, state])).toEqual([
    [held, 'held'],
    [dead, 'dead'],
  ]);
  expect(stage.queries.outboundAttention(1)).toHaveLength(1);
});
