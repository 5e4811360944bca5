// Random histories of every tool that changes something, by Workers with random grants, against a reference that knows nothing of
// the code: each call is accepted or refused alike, and in the end both have the same org.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../src/store/entries.ts';
import { createEntryReader } from '../../src/store/entry-reader.ts';
import { dumpReadTables, rebuildReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { catalog } from '../../src/tools/catalog.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';
import { type Call, ReferenceOrg } from '../support/reference-org.ts';
import '../support/seed.ts';

const RUNS = Number(process.env.HELIX_RUNS ?? 100);
const changing = catalog.filter(({ effect }) => effect !== 'reads').map(({ name }) => name);

const numbered = (prefix: string, ...others: string[]) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }).map((n) => `${prefix}-${n}`) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  );
const role = numbered('r', 'r-owner');
const position = numbered('p', 'p-root');
const worker = numbered('w', 'w-owner');
const stream = numbered('s', 's-notices', 's-activations-w-0', 's-dm-w-0-w-1', 's-dm-w-0-w-owner');
const text = fc.constantFrom('Answers mail.', 'x', 'Ünicode ☃', ' ');
const tool = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...changing) },
  { weight: 1, arbitrary: fc.constantFrom('agent:Bash', 'fly', 'read_events') },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** An Event of the history so far, by its place in it. */
const anyEvent = fc.integer({ min: 0, max: 30 }).map((n) => ({ pick: n }));

const argsOf: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  create_role: { id: role, content: text },
  update_role: { roleId: role, content: text },
  delete_role: { id: role },
  create_position: { id: position, roleId: role, parentId: maybe(position) },
  update_position: {
    id: position,
    roleId: maybe(role),
    parentId: maybe(fc.oneof(position, fc.constant('none'))),
  },
  delete_position: { id: position },
  hire_worker: {
    id: worker,
    positionId: position,
    kind: fc.constantFrom('ai', 'ai', 'human'),
    identityContent: text,
    grants: fc.uniqueArray(tool, { maxLength: 12 }),
    streams: fc.uniqueArray(stream, { maxLength: 2 }),
  },
  update_identity: { workerId: worker, content: text },
  update_agent: {
    workerId: worker,
    agent: fc.constantFrom<unknown[]>(
      null,
      undefined,
      { kind: 'codex' },
      { kind: 'command' },
      { kind: 'puppet' },
      { model: 'opus' },
      { runSeconds: 60 },
      { command: ['/bin/true'] },
    ),
  },
  move_worker: { workerId: worker, positions: fc.array(position, { maxLength: 2 }) },
  pause_worker: { workerId: worker },
  resume_worker: { workerId: worker },
  activate_worker: { workerId: worker },
  interrupt_worker: { workerId: worker },
  fire_worker: { workerId: worker },
  grant_tool: { workerId: worker, toolName: tool },
  revoke_tool: { workerId: worker, toolName: tool },
  create_stream: { id: stream, name: fc.constantFrom('a', 'b', 'c', 'd', 'e', ' '), private: maybe(fc.boolean()) },
  update_stream: {
    streamId: stream,
    name: maybe(fc.constantFrom('a', 'b', 'f', ' ')),
    private: maybe(fc.boolean()),
    hold: maybe(fc.boolean()),
  },
  rotate_secret: { streamId: stream },
  delete_stream: { streamId: stream },
  subscribe: { streamId: stream },
  unsubscribe: { streamId: stream },
  invite_workers: { streamId: stream, workerIds: fc.array(worker, { maxLength: 3 }) },
  publish: { streamId: stream, body: text },
  dm: { toWorkerId: worker, body: fc.constantFrom('hi', '') },
  redact_event: { id: anyEvent },
  retry: { id: anyEvent },
  release: { id: anyEvent },
  discard: { id: anyEvent },
  pause_org: {},
  resume_org: {},
};

/** What builds is asked for more often than what tears down, so that there is something to work on. */
const often = new Set(
  'create_role create_position delete_position hire_worker create_stream subscribe publish dm grant_tool'.split(' '),
);
/** Far from its cause and heard by another AI Worker: held. */
const distant: fc.Arbitrary<Call> = fc.record({
  tool: fc.constant('publish'),
  caller: fc.constantFrom('w-0', 'w-1'),
  hops: fc.constant(9),
  args: fc.record({ streamId: fc.constant('s-0'), body: fc.constant('x') }),
});
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 12, arbitrary: distant },
  ...changing.map((name) => ({
    weight: often.has(name) ? 5 : name === 'fire_worker' ? 1 : 2,
    arbitrary: fc.record({
      tool: fc.constant(name),
      caller: fc.oneof({ weight: 2, arbitrary: fc.constant('w-owner') }, { weight: 3, arbitrary: worker }),
      hops: fc.constantFrom(0, 0, 1, 9),
      args: fc.record(argsOf[name] ?? {}),
    }),
  })),
);

/** A small org, so that most calls have somebody to make them. */
const beginning: Call[] = [
  ['create_role', { id: 'r-0', content: 'x' }],
  ['create_position', { id: 'p-0', roleId: 'r-0', parentId: 'p-root' }],
  ['create_stream', { id: 's-0', name: 'start' }],
  ...[0, 1, 2].map((n): [string, Record<string, unknown>] => [
    'hire_worker',
    {
      id: `w-${n}`,
      positionId: 'p-0',
      kind: n === 2 ? 'human' : 'ai',
      identityContent: 'x',
      grants: changing.filter((_, index) => index % (n + 1) === 0),
      streams: ['s-0'],
    },
  ]),
].map(([tool, args]) => ({ tool, caller: 'w-owner', hops: 0, args }) as Call);

async function make(daemon: TestDaemon, { tool: name, caller, hops, args }: Call) {
  const { lastSeq } = daemon.core.journal;
  return daemon.door.call(
    {
      workerId: caller,
      via: 'mcp',
      // As the token of an activation says it: how far the trigger was from its cause.
      ...(hops > 0 ? { cause: { causedBy: lastSeq, root: lastSeq, hops, activationId: 'a-none' } } : {}),
    },
    name,
    args,
  );
}

const idsOf = (result: Record<string, unknown>) => result as { id: string; streamId: string };

test('covers every tool that changes something', () => {
  expect(Object.keys(argsOf).sort()).toEqual([...changing].sort());
});

test('every tool does what a plain reading of the rules says, whoever calls it in whatever order', {
  timeout: 600_000,
}, async () => {
  const seen = new Map<string, { ok: number; refused: number }>(changing.map((name) => [name, { ok: 0, refused: 0 }]));
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 40, maxLength: 120 }), async (calls) => {
      const daemon = await openTestDaemon();
      try {
        const { queries } = daemon.core;
        const owner = { role: queries.role('r-owner')!.content, identity: queries.worker('w-owner')!.identity };
        const reference = new ReferenceOrg(
          catalog.map(({ name }) => name),
          owner,
        );
        for (const wanted of [...beginning, ...calls]) {
          const asked = { ...wanted, args: withEvent(reference, wanted.args) };
          const expected = reference.call(asked);
          const { lastSeq } = daemon.core.journal;
          const outcome = await make(daemon, asked);
          expect([asked, outcome]).toEqual([
            asked,
            expect.objectContaining({ kind: expected === true ? 'ok' : 'refused' }),
          ]);
          if (outcome.kind === 'ok' && (asked.tool === 'publish' || asked.tool === 'dm'))
            reference.published(idsOf(outcome.result).id, asked, idsOf(outcome.result).streamId);
          if (outcome.kind === 'refused') {
            expect(outcome.message).not.toContain('Internal error');
            expect(daemon.core.journal.lastSeq).toBe(lastSeq);
          }
          const count = seen.get(asked.tool);
          if (count) count[expected === true ? 'ok' : 'refused'] += 1;
        }
        expect(orgOf(daemon)).toEqual(modelOf(reference));
        expectGrantsByHolders(daemon);
        expect(verifyJournal(daemon.core.db)).toMatchObject({ problems: [] });
        const before = dumpReadTables(daemon.core.db);
        rebuildReadTables(daemon.core.db);
        expect(dumpReadTables(daemon.core.db)).toBe(before);
      } finally {
        await daemon.close();
      }
    }),
    { numRuns: RUNS },
  );
  // A generator that never gets through, or is never refused, would prove nothing.
  // Its Streams reach nowhere, so none has a secret.
  seen.delete('rotate_secret');
  const oneSided = [...seen].filter(([name, { ok, refused }]) => refused === 0 || (ok === 0 && name !== 'retry'));
  expect(oneSided).toEqual([]);
});

function withEvent(reference: ReferenceOrg, args: Record<string, unknown>): Record<string, unknown> {
  const { pick } = (args.id ?? {}) as { pick?: number };
  if (pick === undefined) return args;
  const ids = [...reference.events.keys()];
  const held = ids.filter((id) => reference.events.get(id)?.state === 'held');
  const among = pick % 2 === 0 && held.length > 0 ? held : ids;
  return { ...args, id: among[pick % Math.max(1, among.length)] ?? 'e-00000000-0000-8000-8000-000000000000' };
}

const sorted = (values: Iterable<string>) => [...values].sort();
const byId = <T>(entries: Iterable<[string, T]>) =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

function orgOf({ core: { journal, queries } }: TestDaemon) {
  const { org } = journal;
  return {
    roles: byId(queries.roles().map(({ id, content }) => [id, content])),
    positions: byId(queries.positions().map(({ id, roleId: roleOf, parentId }) => [id, [roleOf, parentId]])),
    workers: byId(
      [...org.workers].map(([id, { kind, positions, paused, firedAt, hiredBy, agent }]) => [
        id,
        {
          kind,
          positions,
          paused: paused && firedAt === null,
          fired: firedAt !== null,
          hirer: hiredBy,
          agent,
          identity: queries.worker(id)?.identity,
          tools: queries
            .grantsOf(id)
            .map(({ tool: name }) => name)
            .sort(),
        },
      ]),
    ),
    streams: byId(
      [...org.streams].map(([id, row]) => [
        id,
        {
          name: row.purpose === 'dm' ? '' : row.name,
          purpose: row.purpose,
          isPrivate: row.private,
          hold: row.hold,
          deleted: row.deletedAt !== null,
          members: sorted(row.members),
          listeners: sorted(queries.members(id)),
        },
      ]),
    ),
    held: org.heldEvents.size,
    paused: org.paused,
  };
}

function modelOf(reference: ReferenceOrg): ReturnType<typeof orgOf> {
  return {
    roles: byId([...reference.roles].map(([id, content]) => [id, content])),
    positions: byId([...reference.positions].map(([id, seat]) => [id, [seat.role, seat.parent]])),
    workers: byId(
      [...reference.workers].map(([id, { kind, positions, paused, fired, hirer, agent, identity, tools }]) => [
        id,
        { kind, positions, paused: paused && !fired, fired, hirer, agent, identity, tools: sorted(tools) },
      ]),
    ),
    streams: byId(
      [...reference.streams].map(([id, { name, purpose, isPrivate, hold, deleted, members, listeners }]) => [
        id,
        {
          name: purpose === 'dm' ? '' : name,
          purpose,
          isPrivate,
          hold,
          deleted,
          members: sorted(members),
          listeners: sorted(listeners),
        },
      ]),
    ),
    held: [...reference.events.values()].filter(({ state }) => state === 'held').length,
    paused: reference.paused,
  };
}

/** Read off the journal alone: whoever gave a tool held it then, or is the owner, or founded the org. */
function expectGrantsByHolders({ core: { db, journal } }: TestDaemon): void {
  const seqs = Array.from({ length: journal.lastSeq }, (_, index) => index + 1);
  const held = new Set<string>();
  for (const { event, actor } of createEntryReader(db)(seqs) as Entry[]) {
    if (event.type === 'ToolRevoked') held.delete(`${event.workerId} ${event.tool}`);
    if (event.type !== 'ToolGranted') continue;
    if (actor !== 'w-owner' && actor !== 'system') expect(held).toContain(`${actor} ${event.tool}`);
    held.add(`${event.workerId} ${event.tool}`);
  }
}
