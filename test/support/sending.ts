// A courier on a real database without the daemon around it: targets that the test plays, a clock that the test turns, and a
// death after which another courier finds the outbox as it lies.
import { onTestFinished } from 'vitest';
import { createCourier } from '../../src/dispatch/courier.ts';
import type { DeliveringDeps } from '../../src/dispatch/delivering.ts';
import { type Deliverer, DeliveryFailure, type Outbound, type Receipt } from '../../src/domain/delivery.ts';
import type { Message } from '../../src/domain/message.ts';
import type { CommitOptions } from '../../src/store/journal.ts';
import { createOutbox } from '../../src/store/outbox.ts';
import { createSecretBox } from '../../src/store/secrets.ts';
import { createSettings } from '../../src/store/settings.ts';
import { createRouting } from '../../src/transports/routing.ts';
import { type FakeClock, fakeClock } from './dispatch.ts';
import { hire, openOrg, type TestOrg } from './org.ts';

/** One attempt, as the target sees it. */
export type Tried = Pick<Outbound<unknown>, 'deliveryId' | 'streamId' | 'recipient'> & { body: string; at: number };

/** What a target does with an attempt; what it returns is the receipt. Left out, it takes everything. */
export type Target = (tried: Tried, signal: AbortSignal) => Promise<Receipt | void> | Receipt | void;

export const later = (retryAfterMs?: number) => new DeliveryFailure('retry', 'the target answered 503', retryAfterMs);
export const never = () => new DeliveryFailure('refused', 'the target answered 400');
export const gone = () => new DeliveryFailure('gone', 'the target answered 410 Gone');

const ATTEMPT_MS = 5_000;

export type Sending = Awaited<ReturnType<typeof openSending>>;

type Options = {
  file?: string;
  clock?: FakeClock;
  target?: Target;
  random?: () => number;
  journal?: (real: TestOrg['journal']) => TestOrg['journal'];
};

/** Streams of the kind `post` send; their thread is the lane. `w-ada` is an AI Worker, `w-eve` a person. */
export async function openSending({
  file = ':memory:',
  target = () => {},
  random = () => 0.5,
  ...options
}: Options = {}) {
  const clock = options.clock ?? fakeClock();
  const post: Deliverer<unknown> = {
    attemptMs: ATTEMPT_MS,
    lane: ({ thread_id: thread = '', subject }) => (subject === 'stay' ? { stays: 'it stays' } : { lane: thread }),
    async deliver({ deliveryId, streamId, message, ...outbound }, { signal }) {
      const { recipient } = outbound;
      const at = clock.now().getTime();
      const one = { deliveryId, streamId, body: message.body ?? '', at, ...(recipient ? { recipient } : {}) };
      tried.push(one);
      return (await stage.target(one, signal)) ?? {};
    },
  };
  const transports = new Map([['post', { kind: 'post', send: post }]]) as unknown as Parameters<
    typeof createRouting
  >[0];
  const org = openOrg(file, { now: clock.now, limits: () => ({ maxHops: 8 }), routing: createRouting(transports) });
  const tried: Tried[] = [];
  const failures: unknown[] = [];
  const outbox = createOutbox(org.db);
  let isClosed = false;
  if (org.journal.org.workers.size === 0) {
    await org.found();
    await hire(org, 'w-ada');
    await hire(org, 'w-eve', { kind: 'human' });
  }
  const stage = {
    ...org,
    clock,
    outbox,
    tried,
    failures,
    target,
    attemptsFailed: [] as Parameters<DeliveringDeps['onAttemptFailed']>[0][],
    courier: undefined as unknown as ReturnType<typeof createCourier>,
    bodies: () => tried.map(({ body }) => body),
    async stream(streamId: string, fields: { hold?: boolean } = {}) {
      const transport = { kind: 'post', config: {} };
      await org.commit('w-owner', {
        type: 'CreateStream',
        streamId,
        name: streamId,
        description: '',
        transport,
        private: false,
        ...fields,
      });
    },
    /** By `w-ada` unless told otherwise. @returns the seq of the Event */
    publish: (streamId: string, message: Message | string, actor = 'w-ada', options?: CommitOptions) =>
      org.publish(actor, streamId, message, options),
    /** How the first delivery of an Event stands. */
    state: (seq: number) => org.queries.deliveriesOf(seq)[0]?.state,
    row: (seq: number) => org.queries.deliveriesOf(seq)[0],
    /** Rows of the outbox. */
    pending: () => org.db.sqlite.prepare('SELECT count(*) FROM outbox').pluck().get() as number,
    idle: () => stage.courier.idle(),
    /** Turns the clock, and waits until nothing more happens. */
    async pass(ms: number) {
      clock.advance(ms);
      await stage.idle();
    },
    named(seq: number) {
      const [row] = org.queries.deliveriesOf(seq);
      return { event: seq, streamId: row?.stream ?? '', deliveryIds: row ? [row.id] : [] };
    },
    notices: () =>
      org.queries
        .events(['s-notices'], { limit: 100 })
        .map(({ message }) => message?.subject ?? '')
        .reverse(),
    /** Leaves in a new file what a process killed at this moment leaves. */
    async dieInto(copy: string) {
      org.db.sqlite.prepare('VACUUM INTO ?').run(copy);
      await stage.close();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await stage.courier.stop();
      org.close();
    },
  };
  stage.courier = createCourier({
    journal: options.journal?.(org.journal) ?? org.journal,
    queries: org.queries,
    settings: createSettings(org.db, createSecretBox(Buffer.alloc(32))),
    outbox,
    senderOf: (kind) => (kind === 'post' ? { send: post, account: () => undefined } : undefined),
    request: async () => {
      throw new Error('targets here are played');
    },
    now: clock.now,
    after: clock.after,
    random,
    onAttemptFailed: (failed) => void stage.attemptsFailed.push(failed),
    onFailure: (error) => void failures.push(error),
  });
  stage.courier.start();
  onTestFinished(() => stage.close());
  return stage;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
