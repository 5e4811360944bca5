// Given what happened, when somebody asks for this, then these facts follow: tests of decisions, without a database.
import { expect } from 'vitest';
import { decide } from '../../src/domain/decide.ts';
import { OrgError, type OrgErrorCode } from '../../src/domain/errors.ts';
import { evolve } from '../../src/domain/evolve.ts';
import { eventId } from '../../src/domain/ids.ts';
import { type Command, type Context, type DomainEvent, emptyOrg, type Org } from '../../src/domain/org.ts';

/** Where in a causal chain a command stands; left out, it begins one. */
export type Chain = { hops?: number; root?: number };

export type Step = [actor: string, command: Command, chain?: Chain];

export const TOOLS: ReadonlySet<string> = new Set([
  'create_role',
  'hire_worker',
  'grant_tool',
  'publish',
  'read_events',
]);
export const AT = '2026-01-02T03:04:05.678Z';
export const MAX_HOPS = 3;

export const founding: Extract<Command, { type: 'FoundOrg' }> = {
  type: 'FoundOrg',
  ownerRole: 'Own.',
  ownerIdentity: 'The owner.',
  grants: [...TOOLS].map((tool) => ({ grantId: `g-${tool}`, tool })),
};

export const founded: Step = ['system', founding];

/** The id an Event has in these tests, whose randomness is zero. */
export const idOf = (seq: number): string => eventId(seq, new Uint8Array(10));

export function given(...history: Step[]) {
  const org = emptyOrg();
  let seq = 0;
  for (const [actor, command, chain] of history) {
    const context = contextOf(actor, seq + 1, chain);
    for (const event of decide(org, command, context)) {
      seq += 1;
      evolve(org, event, { seq, actor, at: AT, root: context.root });
    }
  }
  return {
    org,
    /** seq of the newest fact. */
    seq,
    when: (actor: string, command: Command, chain?: Chain) => outcome(org, command, contextOf(actor, seq + 1, chain)),
  };
}

/** Deciding must not change the org, whatever comes of it. */
function outcome(org: Org, command: Command, context: Context) {
  const before = structuredClone(org);
  let events: DomainEvent[] = [];
  let error: unknown;
  try {
    events = decide(org, command, context);
  } catch (thrown) {
    error = thrown;
  }
  expect(org).toEqual(before);
  return {
    events,
    then(...expected: DomainEvent[]) {
      if (error !== undefined) throw error;
      expect(events).toEqual(expected);
    },
    /** Only what kinds of facts follow. */
    records(...types: DomainEvent['type'][]) {
      if (error !== undefined) throw error;
      expect(events.map(({ type }) => type)).toEqual(types);
    },
    staysQuiet() {
      if (error !== undefined) throw error;
      expect(events).toEqual([]);
    },
    refused(code: OrgErrorCode, sentence: RegExp | string) {
      expect(error, `was not refused but led to ${JSON.stringify(events)}`).toBeInstanceOf(OrgError);
      const { code: actualCode, message } = error as OrgError;
      expect({ code: actualCode, message }).toEqual({ code, message: expect.stringMatching(sentence) });
    },
  };
}

function contextOf(actor: string, seq: number, { hops = 0, root = seq }: Chain = {}): Context {
  return {
    actor,
    seq,
    at: AT,
    hops,
    root,
    limits: { maxHops: MAX_HOPS },
    tools: TOOLS,
    eventId: idOf,
    routes: () => [],
  };
}

// The steps most histories are made of. A Worker's seat is its own: `p-` and its name.

export const role = (roleId = 'r-clerk'): Step => ['w-owner', { type: 'CreateRole', roleId, content: 'Answer.' }];

export const position = (positionId: string, parentId: string | null = 'p-root', roleId = 'r-clerk'): Step => [
  'w-owner',
  { type: 'CreatePosition', positionId, roleId, parentId },
];

type Hire = Extract<Command, { type: 'HireWorker' }>;

export const hireCommand = (workerId: string, options: Partial<Hire> & { tools?: string[] } = {}): Hire => {
  const { tools = [], ...fields } = options;
  const grants = tools.map((tool) => ({ grantId: grantIdFor(workerId, tool), tool }));
  return {
    type: 'HireWorker',
    workerId,
    positionId: 'p-root',
    kind: 'ai',
    identity: 'A clerk.',
    grants,
    streams: [],
    ...fields,
  };
};

export const hired = (workerId: string, options: Partial<Hire> & { tools?: string[]; by?: string } = {}): Step => {
  const { by = 'w-owner', ...fields } = options;
  return [by, hireCommand(workerId, fields)];
};

type CreateStream = Extract<Command, { type: 'CreateStream' }>;

export const streamCommand = (streamId: string, fields: Partial<CreateStream> = {}): CreateStream => ({
  type: 'CreateStream',
  streamId,
  name: streamId,
  description: '',
  transport: { kind: 'local', config: {} },
  private: false,
  hold: false,
  batch: 'stream',
  ...fields,
});

export const stream = (streamId: string, fields: Partial<CreateStream> & { by?: string } = {}): Step => {
  const { by = 'w-owner', ...rest } = fields;
  return [by, streamCommand(streamId, rest)];
};

export const subscribed = (workerId: string, streamId: string): Step => [
  workerId,
  { type: 'Subscribe', streamId, filter: null },
];

export const fired = (workerId: string): Step => ['w-owner', { type: 'FireWorker', workerId }];

/** A Grant id made of what is granted to whom. */
export const grantIdFor = (workerId: string, tool: string): string =>
  `g-${workerId}-${tool.toLowerCase().replace(/[^a-z0-9_]+/g, '-')}`.slice(0, 48);
