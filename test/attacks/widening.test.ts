// A Worker that means ill and holds tools: whatever it calls, in whatever order, it gets no Grant it does not have, rules no
// owner, and reads nothing it may not. Arguments are made from the schemas, so a new tool is attacked without a line here.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mayRead } from '../../src/domain/may-read.ts';
import { catalog } from '../../src/tools/catalog.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';
import { createRandom } from './random.ts';

const seed = Number(process.env.HELIX_SEED ?? 20_26);
const MOLE = 'w-mole';
const PRIZE = 'agent:Bash';
const CANARY = 'canary-4711-of-others';

let daemon: TestDaemon;
let hidden: { streams: string[]; events: string[]; activations: string[] };

beforeEach(async () => {
  daemon = await openTestDaemon();
  hidden = await withHidden(daemon);
});
afterEach(() => daemon.close());

/** An org in which others keep something to themselves. */
async function withHidden({ call, hire, core }: TestDaemon): Promise<typeof hidden> {
  await hire('w-ann', { grants: ['dm', 'publish', PRIZE] });
  await hire('w-bob', { grants: ['dm'] });
  await hire('w-eve', { kind: 'human' });
  await hire(MOLE);
  await call('create_stream', { id: 's-vault', name: 'vault', private: true });
  await call('create_stream', { id: 's-hall', name: 'hall' });
  await call('create_stream', { id: 's-held', name: 'held', hold: true, transport: 'webhook' });
  const vault = await call('publish', { streamId: 's-vault', body: CANARY });
  const dm = await call('dm', { toWorkerId: 'w-bob', body: CANARY }, 'w-ann');
  const conversation = [...core.journal.org.streams].find(([, { purpose }]) => purpose === 'dm')?.[0] ?? '';
  const activationId = 'a-00000000-0000-4000-8000-000000000001';
  const at = new Date().toISOString();
  core.journal.transcribe([{ worker: 'w-ann', activationId, at, body: CANARY }]);
  await core.journal.flush();
  const streams = ['s-vault', conversation, 's-activations-w-ann', 's-notices'];
  return { streams, events: [vault.id, dm.id].map(String), activations: [activationId] };
}

/** Arguments that fit the names of a tool's fields, chosen among everything that could be of use. */
function argumentsFor(tool: (typeof catalog)[number], pick: <T>(from: readonly T[]) => T): Record<string, unknown> {
  const { properties = {} } = daemon.door.inputSchema(tool) as { properties?: Record<string, { type?: string }> };
  const { org } = daemon.core.journal;
  const streams = [...hidden.streams, 's-hall'];
  const workers = [MOLE, 'w-owner', 'w-ann', 'w-bob'];
  const grants = [PRIZE, 'agent:Bash(gh *)', ...catalog.map(({ name }) => name)];
  const ids = [
    ...streams,
    ...workers,
    ...hidden.events,
    ...hidden.activations,
    ...org.roles.keys(),
    ...org.positions.keys(),
  ];
  const value = (name: string, type: string | undefined): unknown => {
    if (name === 'streamId') return pick(streams);
    if (/^(toW|w)orkerIds?$/.test(name)) return name.endsWith('s') ? [MOLE, pick(workers)] : pick(workers);
    if (name === 'streams' || name === 'streamIds') return [pick(streams)];
    if (name === 'grants') return [pick(grants), PRIZE];
    if (/^(toolName|tool)$/.test(name)) return pick(grants);
    if (name === 'roleId') return pick([...org.roles.keys()]);
    if (/^(positionId|parentId|newParentId)$/.test(name)) return pick([...org.positions.keys()]);
    if (name === 'since' || name === 'eventId') return pick(hidden.events);
    if (name === 'wait' || /wait|timeout/i.test(name)) return 0;
    if (name === 'kind') return 'ai';
    if (name === 'transport') return 'local';
    if (name === 'to') return [pick(workers)];
    if (/content|text|body|reason|description|title|name/i.test(name))
      return `# Role\n\n## Tools (MCP)\n\n- \`grant_tool\`\n- \`${PRIZE}\`\n- \`${pick(grants)}\`\n${pick(ids)}`;
    if (/id$/i.test(name)) return pick(ids);
    if (type === 'boolean' || /^(private|hold)$/.test(name)) return pick([true, false]);
    return type === 'number' || type === 'integer' ? pick([0, 1, 50]) : pick(ids);
  };
  const chosen = Object.entries(properties).filter(() => pick([true, true, true, false]));
  return Object.fromEntries(chosen.map(([name, { type }]) => [name, value(name, type)]));
}

const grantsOf = (workerId: string) => [...(daemon.core.journal.org.grants.get(workerId)?.keys() ?? [])].sort();

/** Whom a Worker could act through: itself, and whom it hired. */
const limbs = () =>
  [...daemon.core.journal.org.workers].flatMap(([id]) =>
    ['w-owner', 'w-ann', 'w-bob', 'w-eve'].includes(id) ? [] : [id],
  );

function expectNothingGained(held: readonly string[], what: string): void {
  const { org } = daemon.core.journal;
  for (const id of limbs()) {
    expect(
      grantsOf(id).filter((grant) => !held.includes(grant)),
      `${what}: Grants of ${id}`,
    ).toEqual([]);
    for (const streamId of hidden.streams)
      expect(mayRead(org, id, streamId), `${what}: ${id} reads ${streamId}`).toBe(false);
  }
  expect(org.workers.get('w-owner')).toMatchObject({ firedAt: null, paused: false });
  for (const { name } of catalog) expect(grantsOf('w-owner'), what).toContain(name);
}

async function give(tools: readonly string[]): Promise<void> {
  for (const toolName of tools) await daemon.call('grant_tool', { workerId: MOLE, toolName });
}

/** Calls a tool as the mole, or as whom it hired. @returns what it was told */
async function attack(tool: (typeof catalog)[number], random: ReturnType<typeof createRandom>): Promise<string> {
  const args = argumentsFor(tool, random.pick);
  const outcome = await daemon.door.call({ workerId: random.pick(limbs()), via: 'mcp' }, tool.name, args);
  const what = `${tool.name} ${JSON.stringify(args)} (seed ${seed})`;
  expect(JSON.stringify(outcome), what).not.toContain(CANARY);
  return what;
}

describe('a Worker that holds one tool', () => {
  test.each(catalog.map((tool) => [tool.name, tool] as const))(
    'gains nothing by %s',
    async (name, tool) => {
      const random = createRandom(seed);
      await give([name]);
      const held = [name];
      for (let round = 0; round < 60; round++) expectNothingGained(held, await attack(tool, random));
    },
    30_000,
  );
});

test('a Worker that holds every tool there is gains no other Grant, and no eyes', async () => {
  const random = createRandom(seed);
  const held = catalog.map(({ name }) => name);
  await give(held);
  for (let round = 0; round < 1_500; round++) {
    const tool = random.pick(catalog);
    // These may end the stage, not the attack.
    if (/^(fire_worker|revoke_tool|delete_|pause_org)/.test(tool.name)) continue;
    expectNothingGained(held, await attack(tool, random));
  }
}, 120_000);

describe('what was tried by name', () => {
  const refused = async (tool: string, args: object) => {
    await give([tool]);
    const outcome = await daemon.door.call({ workerId: MOLE, via: 'mcp' }, tool, args);
    expect(outcome, `${tool} ${JSON.stringify(args)}`).toMatchObject({ kind: 'refused' });
  };

  test.each([
    ['grant_tool', { workerId: MOLE, toolName: PRIZE }],
    ['grant_tool', { workerId: MOLE, toolName: 'update_role' }],
    ['grant_tool', { workerId: 'w-bob', toolName: 'publish' }],
    ['hire_worker', { positionId: 'p-mole', kind: 'ai', identityContent: 'me', grants: [PRIZE] }],
    ['hire_worker', { positionId: 'p-mole', kind: 'ai', identityContent: 'me', grants: ['grant_tool'] }],
    ['revoke_tool', { workerId: 'w-owner', toolName: 'grant_tool' }],
    ['fire_worker', { workerId: 'w-owner' }],
    ['pause_worker', { workerId: 'w-owner' }],
    ['delete_role', { roleId: 'r-owner' }],
    ['delete_position', { positionId: 'p-root' }],
    ['subscribe', { streamId: 's-vault' }],
    ['invite_workers', { streamId: 's-vault', workerIds: [MOLE] }],
    ['update_stream', { streamId: 's-vault', private: false }],
    ['update_stream', { streamId: 's-held', hold: false }],
    ['update_stream', { streamId: 's-held', transport: 'local' }],
    ['update_identity', { workerId: 'w-owner', email: 'mallory@example.com' }],
    ['update_identity', { workerId: 'w-eve', email: 'mallory@example.com' }],
    ['publish', { streamId: 's-vault', body: 'x' }],
    ['read_events', { streamId: 's-vault' }],
    ['list_stream_events', { streamId: 's-vault' }],
    ['worker_log', { workerId: 'w-ann' }],
    ['rotate_secret', { streamId: 's-vault' }],
  ])('%s %j is refused', async (tool, args) => {
    await refused(tool, args);
  });

  test('what somebody else said in private is neither shown, judged nor erased', async () => {
    for (const tool of ['get_event', 'event_status', 'redact_event', 'retry', 'release', 'discard']) {
      for (const id of hidden.events) await refused(tool, { id });
    }
  });
});
