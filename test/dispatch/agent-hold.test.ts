import { beforeEach, expect, test } from 'vitest';
import { type AgentHold, createAgentHold } from '../../src/dispatch/agent-hold.ts';
import type { Command, Org } from '../../src/domain/org.ts';
import { fakeClock } from '../support/dispatch.ts';

let clock: ReturnType<typeof fakeClock>;
let hold: AgentHold;
let notices: string[];
/** Of the last notice. */
let body: string;
let probes: number;
let holds: Org['holds'];
let kinds: string[];

beforeEach(() => {
  clock = fakeClock();
  notices = [];
  probes = 0;
  holds = new Map();
  kinds = ['claude', ''];
  open();
});

/** One after the other, as after a restart. */
function open(): void {
  const journal = {
    org: { holds },
    commit: async (_actor: string, command: Command) => {
      if ('notice' in command && command.notice) {
        notices.push(command.notice.subject);
        body = command.notice.body;
      }
      if (command.type === 'HoldWork') holds.set(command.hold, { ...command, workerId: null });
      if (command.type === 'ResumeWork') holds.delete(command.hold);
      return { entries: [] };
    },
  };
  hold = createAgentHold(
    {
      journal: journal as never,
      kind: 'claude',
      name: 'agent:claude',
      kinds: () => kinds,
      now: clock.now,
      after: clock.after,
    },
    () => {
      probes += 1;
    },
  );
}

/** How long the hold lasts from here on, in seconds. */
function heldSeconds(): number {
  let seconds = 0;
  for (; !hold.allowsStart(); seconds++) clock.advance(1_000);
  return seconds;
}

test('nothing is held before the agent fails as such', () => {
  hold.watch()('works', 'ok');
  hold.watch()('nothing', 'interrupted');
  expect([hold.allowsStart(), notices]).toEqual([true, []]);
});

test('one notice, and probes after 5 s, 10 s … never more than 5 min apart', () => {
  hold.watch()('fault', 'not logged in');
  const pauses: number[] = [];
  for (let n = 0; n < 9; n++) {
    pauses.push(heldSeconds());
    const probe = hold.watch();
    expect(hold.allowsStart()).toBe(false);
    probe('fault', 'not logged in');
  }
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  expect(probes).toBe(9);
  expect(notices).toEqual(['The agent claude does not work']);
});

test.each(['not logged in', 'Not logged in. Run `helix-org login claude`.'])(
  'a notice is whole sentences: %s',
  (exit) => {
    hold.watch()('fault', exit);
    expect(body).toContain(`${exit.replace(/\.$/, '')}. No Worker that claude plays can run`);
  },
);

test('the first probe that works ends it, with one notice', () => {
  hold.watch()('fault', 'x');
  clock.advance(5_000);
  hold.watch()('works', 'ok');
  expect(hold.allowsStart()).toBe(true);
  expect(notices).toEqual(['The agent claude does not work', 'The agent claude works again']);
  hold.watch()('fault', 'x');
  expect(heldSeconds()).toBe(5);
});

test('sixteen runs that fail together count as one failure', () => {
  const runs = Array.from({ length: 16 }, () => hold.watch());
  for (const end of runs) end('fault', 'usage limit');
  expect(heldSeconds()).toBe(5);
  expect(notices).toHaveLength(1);
});

test('a run that began before does not end the hold, and does not keep the probe waiting', () => {
  const [long, other] = [hold.watch(), hold.watch()];
  other('fault', 'usage limit');
  clock.advance(5_000);
  expect(hold.allowsStart()).toBe(true);
  long('works', 'ok');
  const probe = hold.watch();
  expect(hold.allowsStart()).toBe(false);
  probe('fault', 'usage limit');
  expect(notices).toHaveLength(1);
  expect(heldSeconds()).toBe(10);
});

test('a probe that never came to run says nothing: the next one starts at once', () => {
  hold.watch()('fault', 'x');
  clock.advance(5_000);
  hold.watch()('nothing', 'worker w-x has no positions');
  expect(hold.allowsStart()).toBe(true);
  const probe = hold.watch();
  expect(hold.allowsStart()).toBe(false);
  probe('works', 'ok');
  expect(notices).toHaveLength(2);
});

test('a restart finds the hold as it was: the first run is the probe, and nobody is told twice', () => {
  hold.watch()('fault', 'not logged in');
  open();
  expect([hold.isHeld, hold.allowsStart()]).toEqual([true, true]);
  const probe = hold.watch();
  expect(hold.allowsStart()).toBe(false);
  probe('fault', 'not logged in');
  expect(notices).toEqual(['The agent claude does not work']);
  clock.advance(10_000);
  hold.watch()('works', 'ok');
  expect(notices).toHaveLength(2);
  open();
  expect(hold.isHeld).toBe(false);
});

test('who is held is said anew when others are played by it, and its end is said when nobody is', () => {
  hold.watch()('fault', 'x');
  hold.review();
  expect(holds.get('agent:claude')?.kinds).toEqual(['claude', '']);
  kinds = ['claude'];
  hold.review();
  expect(holds.get('agent:claude')?.kinds).toEqual(['claude']);
  hold.end();
  expect([...holds.keys(), hold.isHeld]).toEqual([false]);
  expect(notices).toHaveLength(1);
});

test('when its login or program was changed it is tried at once, and again when a probe that runs began before', () => {
  hold.watch()('fault', 'not logged in');
  expect(hold.allowsStart()).toBe(false);
  hold.tryNow();
  expect([hold.allowsStart(), probes]).toEqual([true, 1]);
  const probe = hold.watch();
  hold.tryNow();
  expect([hold.allowsStart(), probes]).toEqual([false, 1]);
  probe('fault', 'not logged in');
  expect([hold.allowsStart(), probes]).toEqual([true, 2]);
  hold.watch()('fault', 'not logged in');
  expect(hold.allowsStart()).toBe(false);
  hold.tryNow();
  hold.watch()('works', 'ok');
  expect([hold.isHeld, holds.size]).toEqual([false, 0]);
  hold.tryNow();
  expect(probes).toBe(3);
});
