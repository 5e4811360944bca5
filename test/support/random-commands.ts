// Things people and agents might ask for, sensible and not, in any order.
import fc from 'fast-check';
import type { Cause } from '../../src/domain/entry.ts';
import type { Command } from '../../src/domain/org.ts';
import type { AgentChange } from '../../src/domain/worker-agent.ts';
import type { CommitOptions } from '../../src/store/journal.ts';
import { TOOLS } from './given.ts';
import { messageContent } from './org.ts';

export type Asked = { actor: string; command: Command; options?: CommitOptions };

const owner = (command: Command): Asked => ({ actor: 'w-owner', command });

/** Numbers stand for things that are known only when it is asked: `pick` chooses among what there is then. */
export type Wish =
  | { kind: 'command'; actor: string; command: Command; options: CommitOptions }
  | { kind: 'run'; worker: string; outcome: 'done' | 'failed' | 'parked' | 'lost'; most: number }
  | { kind: 'held'; how: 'ReleaseEvent' | 'DiscardEvent'; pick: number }
  | { kind: 'delivery'; how: 'taken' | 'dead' | 'gone' | 'retry' | 'release' | 'discard' | 'resume'; pick: number }
  | { kind: 'redact'; pick: number }
  | {
      kind: 'aside';
      how: 'HoldTriggers' | 'RequeueTriggers' | 'DropTriggers' | 'ExpireTriggers';
      worker: string;
      pick: number;
    }
  | { kind: 'transcribe'; worker: string; body: string };

const idIn = (prefix: string, ...others: string[]) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 4 }).map((n) => `${prefix}-${n}`) },
    { weight: 4, arbitrary: fc.constantFrom(...others) },
    { weight: 1, arbitrary: fc.constantFrom(`${prefix}-`, '../x', `${prefix}-${'x'.repeat(60)}`, '') },
  );
const roleId = idIn('r', 'r-owner');
const positionId = idIn('p', 'p-root');
const workerId = idIn('w', 'w-owner', 'w-none');
const streamId = idIn('s', 's-notices', 's-activations-w-0', 's-dm-w-0-w-1', 's-none');
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 3, arbitrary: fc.constantFrom('hello', '\ud800', 'a\0b', '{"n":12345678901234567890}') },
);
const tool = fc.constantFrom(...TOOLS, 'agent:Bash', 'nonsense', '');
const grantId = fc.integer({ min: 0, max: 30 }).map((n) => `g-${n}`);
const batch = fc.constantFrom('stream' as const, 'conversation' as const);
const filter = fc.option(fc.record({ from: fc.constantFrom<string[][]>(['eve'], ['*'], ['bob', 'e*']) }), { freq: 2 });
const message = fc.record(
  { from: fc.constantFrom('eve', 'bob', ''), body: text, thread_id: fc.constantFrom('t', 'u', ''), subject: text },
  { requiredKeys: ['body'] },
);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('CreateRole' as const), roleId, content: text }),
  fc.record({ type: fc.constant('UpdateRole' as const), roleId, content: text }),
  fc.record({ type: fc.constant('DeleteRole' as const), roleId }),
  fc.record({ type: fc.constant('CreatePosition' as const), positionId, roleId, parentId: fc.option(positionId) }),
  fc.record({ type: fc.constant('UpdatePosition' as const), positionId, roleId, parentId: fc.option(positionId) }),
  fc.record({ type: fc.constant('DeletePosition' as const), positionId }),
  ...Array.from({ length: 3 }, () =>
    fc.record({
      type: fc.constant('HireWorker' as const),
      workerId: fc.oneof(
        workerId,
        fc.integer({ min: 0, max: 400 }).map((n) => `w-n${n}`),
      ),
      positionId,
      kind: fc.constantFrom('human' as const, 'ai' as const, 'ai' as const),
      identity: text,
      grants: fc.array(fc.record({ grantId, tool }), { maxLength: 2 }),
      streams: fc.array(streamId, { maxLength: 2 }),
    }),
  ),
  fc.record({ type: fc.constant('UpdateIdentity' as const), workerId, content: text }),
  fc.record({
    type: fc.constant('UpdateIdentity' as const),
    workerId,
    email: fc.option(fc.oneof(text, fc.constant('eve@example.com'))),
  }),
  fc.record({
    type: fc.constant('UpdateAgent' as const),
    workerId,
    agent: fc.constantFrom<AgentChange[]>(
      { kind: 'codex' },
      { kind: null, model: 'opus' },
      { runSeconds: 60 },
      { kind: 'x' },
    ),
  }),
  fc.record({ type: fc.constant('MoveWorker' as const), workerId, positions: fc.array(positionId, { maxLength: 3 }) }),
  fc.record({
    type: fc.constantFrom('FireWorker' as const, 'PauseWorker' as const, 'ResumeWorker' as const),
    workerId,
  }),
  fc.record({ type: fc.constant('ActivateWorker' as const), workerId, reason: text }),
  fc.record({ type: fc.constant('GrantTool' as const), grantId, workerId, tool }),
  fc.record({ type: fc.constant('RevokeTool' as const), grantId }),
  ...Array.from({ length: 3 }, () =>
    fc.record({
      type: fc.constant('CreateStream' as const),
      streamId: fc.oneof(
        streamId,
        fc.integer({ min: 0, max: 400 }).map((n) => `s-n${n}`),
      ),
      name: fc.oneof(text, streamId),
      description: text,
      transport: fc.record({
        kind: fc.constantFrom('local', 'webhook'),
        config: fc.dictionary(text, fc.jsonValue(), { maxKeys: 2 }),
      }),
      private: fc.boolean(),
      hold: fc.boolean(),
      batch,
    }),
  ),
  fc
    .record({
      streamId,
      name: fc.option(text),
      private: fc.option(fc.boolean()),
      batch: fc.option(batch),
      hold: fc.option(fc.boolean(), { freq: 2 }),
    })
    .map(
      ({ streamId: id, name, private: closed, batch: shown, hold }): Command => ({
        type: 'UpdateStream',
        streamId: id,
        ...(name === null ? {} : { name }),
        ...(closed === null ? {} : { private: closed }),
        ...(shown === null ? {} : { batch: shown }),
        ...(hold === null ? {} : { hold }),
      }),
    ),
  fc.record({ type: fc.constant('DeleteStream' as const), streamId }),
  fc.record({ workerId: fc.option(workerId), isOver: fc.boolean() }).map(({ workerId: whom, isOver }): Command => {
    const hold = `runs_per_hour:${whom ?? 'org'}`;
    if (isOver) return { type: 'ResumeWork', hold };
    return { type: 'HoldWork', hold, workerId: whom, reason: 'limit', notice: { subject: 's', body: 'b' } };
  }),
  ...Array.from({ length: 4 }, () => fc.record({ type: fc.constant('Subscribe' as const), streamId, filter })),
  fc.record({ type: fc.constant('Unsubscribe' as const), streamId }),
  fc.record({ type: fc.constant('InviteWorkers' as const), streamId, workerIds: fc.array(workerId, { maxLength: 3 }) }),
  ...Array.from({ length: 16 }, () =>
    fc.record({ streamId, message, quiet: fc.option(text, { freq: 5 }) }).map(
      ({ streamId: id, message: sent, quiet }): Command => ({
        type: 'Publish',
        streamId: id,
        content: messageContent(sent),
        ...(quiet === null ? {} : { quiet }),
      }),
    ),
  ),
  ...Array.from({ length: 2 }, () =>
    fc.record({ type: fc.constant('SendDm' as const), toWorkerId: workerId, body: text }),
  ),
  fc.record({ type: fc.constant('PostNotice' as const), subject: text, body: text }),
  fc.record({ type: fc.constantFrom('PauseOrg' as const, 'ResumeOrg' as const) }),
);

const cause: fc.Arbitrary<Cause | undefined> = fc.option(
  fc.record({
    causedBy: fc.integer({ min: 1, max: 20 }),
    root: fc.integer({ min: 1, max: 20 }),
    hops: fc.integer({ min: 0, max: 12 }),
  }),
  { nil: undefined, freq: 3 },
);
const once = fc.oneof(
  { weight: 9, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      stream: fc.constant('s-0'),
      provider: fc.constant('webhook'),
      key: fc.nat(5).map(String),
      bodyDigest: fc.constantFrom(Buffer.from('a'), Buffer.from('b')),
      refuseOtherBody: fc.boolean(),
    }),
  },
);
const options = fc
  .record({ cause, once, via: fc.constantFrom('mcp' as const, 'ui' as const, 'transport' as const) })
  .map((all): CommitOptions => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
const actor = fc.oneof(
  { weight: 5, arbitrary: fc.constant('w-owner') },
  { weight: 5, arbitrary: workerId },
  { weight: 1, arbitrary: fc.constantFrom('system', 'transport:webhook', 'w-none') },
);
const pick = fc.nat(1_000);
const aiWorker = fc.integer({ min: 0, max: 4 }).map((n) => `w-${n}`);

/** Where the random histories begin: some of everything they will ask for. */
export const beginnings: Asked[] = [
  ...[0, 1].map((n) => owner({ type: 'CreateRole', roleId: `r-${n}`, content: 'x' })),
  ...[0, 1, 2].map((n) => owner({ type: 'CreatePosition', positionId: `p-${n}`, roleId: 'r-0', parentId: 'p-root' })),
  ...[0, 1, 2].map((n) =>
    owner({
      type: 'CreateStream',
      streamId: `s-${n}`,
      name: `${n}`,
      description: '',
      // The last two send.
      transport: { kind: n === 0 ? 'local' : 'webhook', config: {} },
      private: n === 2,
    }),
  ),
  ...[0, 1, 2, 3].map((n) =>
    owner({
      type: 'HireWorker',
      workerId: `w-${n}`,
      positionId: 'p-0',
      kind: n === 3 ? 'human' : 'ai',
      identity: 'x',
      grants: [],
      streams: ['s-0', 's-1'],
    }),
  ),
];

export const wish: fc.Arbitrary<Wish> = fc.noBias(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ kind: fc.constant('command' as const), actor, command, options }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('run' as const),
        worker: aiWorker,
        outcome: fc.constantFrom(
          'done' as const,
          'done' as const,
          'failed' as const,
          'parked' as const,
          'lost' as const,
        ),
        most: fc.integer({ min: 1, max: 5 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('held' as const),
        how: fc.constantFrom('ReleaseEvent' as const, 'DiscardEvent' as const),
        pick,
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('delivery' as const),
        how: fc.constantFrom('taken', 'taken', 'dead', 'gone', 'retry', 'release', 'discard', 'resume'),
        pick,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('redact' as const), pick }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('aside' as const),
        how: fc.constantFrom(
          'HoldTriggers' as const,
          'RequeueTriggers' as const,
          'DropTriggers' as const,
          'ExpireTriggers' as const,
        ),
        worker: aiWorker,
        pick,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('transcribe' as const), worker: aiWorker, body: text }) },
  ),
);
