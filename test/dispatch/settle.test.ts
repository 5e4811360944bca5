import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ended, type Settlement, type Shown, settle } from '../../src/dispatch/settle.ts';

const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 31));

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const policy = { attempts: 3, nowMs };
const shownAs = (fields: Partial<Shown> = {}): Shown => ({
  triggers: [7, 8],
  rest: [],
  attempt: 1,
  oneByOne: false,
  checkpoint: 5,
  ...fields,
});
const endedAs = (fields: Partial<Ended> = {}): Ended => ({
  outcome: 'failed',
  exit: 'exit code 1',
  agentFault: false,
  ...fields,
});

/** As one line: what is settled, parked and open, and after how many seconds it comes again. */
function told({ throughSeq, settled, parked, open }: Settlement): string {
  const again = open && `${open.triggers} as ${open.attempt}${open.oneByOne ? ' one by one' : ''}`;
  const wait = open ? Math.max(0, Date.parse(open.notBefore) - nowMs) / 1_000 : 0;
  const parts = [
    `through ${throughSeq}`,
    settled.length > 0 && `settled ${settled}`,
    parked.length > 0 && `parked ${parked}`,
    again && `open ${again} after ${wait} s`,
  ];
  return parts.filter(Boolean).join('; ');
}

type Row = [what: string, shown: Partial<Shown>, ended: Partial<Ended>, then: string];

test.each<Row>([
  ['done', {}, { outcome: 'done' }, 'through 8; settled 7,8'],
  ['done, though somebody stopped it', {}, { outcome: 'done', stopped: 'person' }, 'through 8; settled 7,8'],
  ['failed', {}, {}, 'through 5; open 7,8 as 2 after 10 s'],
  ['failed again', { attempt: 2 }, {}, 'through 5; open 7,8 as 3 one by one after 120 s'],
  ['failed again, alone', { triggers: [7], attempt: 2 }, {}, 'through 5; open 7 as 3 one by one after 120 s'],
  ['failed for the last time, alone', { triggers: [7], attempt: 3 }, {}, 'through 7; parked 7'],
  [
    'failed for the last time, the first of three',
    { triggers: [7], rest: [8, 9], attempt: 3, oneByOne: true },
    {},
    'through 7; parked 7; open 8,9 as 3 one by one after 0 s',
  ],
  [
    'well at last, the first of three',
    { triggers: [7], rest: [8, 9], attempt: 3, oneByOne: true },
    { outcome: 'done' },
    'through 7; settled 7; open 8,9 as 3 one by one after 0 s',
  ],
  ['out of time', {}, { outcome: 'timed_out' }, 'through 5; open 7,8 as 2 one by one after 10 s'],
  ['out of time again', { triggers: [7], attempt: 2 }, { outcome: 'timed_out' }, 'through 7; parked 7'],
  ['cut off', {}, { outcome: 'lost' }, 'through 5; open 7,8 as 2 after 0 s'],
  ['cut off for the fourth time', { attempt: 4 }, { outcome: 'lost' }, 'through 5; open 7,8 as 5 one by one after 0 s'],
  ['cut off for the last time', { triggers: [7], attempt: 5 }, { outcome: 'lost' }, 'through 7; parked 7'],
  ['failed after three cut-offs', { attempt: 4 }, {}, 'through 5; open 7,8 as 4 one by one after 120 s'],
  [
    'cut off in the middle of one by one',
    { triggers: [7], rest: [8], attempt: 3, oneByOne: true },
    { outcome: 'lost' },
    'through 5; open 7,8 as 4 one by one after 0 s',
  ],
  ['stopped by a person', {}, { outcome: 'interrupted', stopped: 'person' }, 'through 8; parked 7,8'],
  [
    'stopped by a person, one by one',
    { triggers: [7], rest: [8, 9], attempt: 3, oneByOne: true },
    { outcome: 'interrupted', stopped: 'person' },
    'through 9; parked 7,8,9',
  ],
  [
    'stopped because something it was shown was redacted',
    { attempt: 2 },
    { outcome: 'interrupted', stopped: 'redacted' },
    'through 5; open 7,8 as 2 after 0 s',
  ],
  ['paused', {}, { outcome: 'interrupted', stopped: 'paused' }, 'through 5; open 7,8 as 1 after 0 s'],
  ['shut down', { attempt: 2 }, { outcome: 'interrupted', stopped: 'shutdown' }, 'through 5; open 7,8 as 2 after 0 s'],
  ['fired', {}, { outcome: 'interrupted', stopped: 'fired' }, 'through 5'],
  ['not the triggers’ fault', { attempt: 3, triggers: [7] }, { agentFault: true }, 'through 5; open 7 as 3 after 0 s'],
])('a run that was %s', (_what, shown, ended, then) => {
  expect(told(settle(shownAs(shown), endedAs(ended), policy))).toBe(then);
});

test('with one attempt, a failed batch is worked off one by one, once', () => {
  const once = { attempts: 1, nowMs };
  expect(told(settle(shownAs(), endedAs(), once))).toBe('through 5; open 7,8 as 1 one by one after 10 s');
  const next = shownAs({ triggers: [7], rest: [8], oneByOne: true });
  expect(told(settle(next, endedAs(), once))).toBe('through 7; parked 7; open 8 as 1 one by one after 0 s');
});

describe(`whatever happens (seed ${seed})`, () => {
  const ends = fc.record({
    outcome: fc.constantFrom<Ended['outcome']>('done', 'failed', 'timed_out', 'interrupted', 'lost'),
    exit: fc.constant('x'),
    agentFault: fc.boolean(),
    stopped: fc.option(fc.constantFrom<NonNullable<Ended['stopped']>>('person', 'paused', 'redacted', 'shutdown'), {
      nil: undefined,
    }),
  });
  const seqs = fc
    .uniqueArray(fc.integer({ min: 6, max: 1_000 }), { minLength: 1, maxLength: 20 })
    .map((each) => each.sort((a, b) => a - b));

  const given = fc
    .record({ all: seqs, cut: fc.nat({ max: 20 }), attempt: fc.integer({ min: 1, max: 7 }), oneByOne: fc.boolean() })
    .map(({ all, cut, attempt, oneByOne }) => {
      const shown = oneByOne ? 1 : Math.max(1, Math.min(cut, all.length));
      return { triggers: all.slice(0, shown), rest: all.slice(shown), attempt, oneByOne, checkpoint: 5 };
    });

  test('every trigger ends in exactly one of settled, parked and open, and the checkpoint passes no open one', () => {
    fc.assert(
      fc.property(given, ends, fc.integer({ min: 1, max: 10 }), (shown, ended, attempts) => {
        const { throughSeq, settled, parked, open } = settle(shown, ended as Ended, { attempts, nowMs });
        const now = [...settled, ...parked, ...(open?.triggers ?? [])];
        expect(now.toSorted((a, b) => a - b)).toEqual([...shown.triggers, ...shown.rest]);
        if (open) expect(open.triggers).toEqual(open.triggers.toSorted((a, b) => a - b));
        expect(throughSeq).toBeGreaterThanOrEqual(shown.checkpoint);
        for (const seq of open?.triggers ?? []) expect(throughSeq).toBeLessThan(seq);
        for (const seq of [...settled, ...parked]) expect(throughSeq).toBeGreaterThanOrEqual(seq);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  test('a batch comes to an end: each run that counts settles, parks, or is one attempt further', () => {
    const counting = fc.constantFrom<Ended['outcome']>('failed', 'timed_out', 'lost');
    fc.assert(
      fc.property(
        seqs,
        fc.array(counting, { minLength: 200, maxLength: 200 }),
        fc.integer({ min: 1, max: 10 }),
        (all, outcomes, attempts) => {
          let shown: Shown | undefined = { triggers: all, rest: [], attempt: 1, oneByOne: false, checkpoint: 5 };
          let runs = 0;
          for (const outcome of outcomes) {
            if (!shown) break;
            runs += 1;
            const { throughSeq, open } = settle(shown, endedAs({ outcome }), { attempts, nowMs });
            if (open) expect(open.attempt).toBeGreaterThanOrEqual(shown.attempt);
            const first = open?.oneByOne ? 1 : undefined;
            shown = open
              ? {
                  ...open,
                  triggers: open.triggers.slice(0, first),
                  rest: first ? open.triggers.slice(first) : [],
                  checkpoint: throughSeq,
                }
              : undefined;
          }
          expect(shown).toBeUndefined();
          // Together at most ten times, then alone: each at most ten times, but the attempts already made count.
          expect(runs).toBeLessThanOrEqual(all.length + 20);
        },
      ),
      { seed, numRuns: 500 },
    );
  });
});
