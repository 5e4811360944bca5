import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transportInfo } from '../../src/http/transport-info.ts';
import { transports } from '../../src/transports/catalog.ts';
import { cron } from '../../src/transports/cron.ts';

const info = transportInfo(
  transports.get('cron')!,
  () => '',
  () => undefined,
);
const check = (config: Record<string, unknown>) => info.checkConfig(config);

/** The next so many times after a moment. */
function times(schedule: string, timezone: string, after: string, count: number): string[] {
  const found: string[] = [];
  for (let at = new Date(after); found.length < count; ) {
    at = cron.schedule.next({ schedule, timezone }, at)!;
    found.push(at.toISOString().slice(0, 16));
  }
  return found;
}

describe('A72: the config', () => {
  test('takes five fields, a time zone and a message', () => {
    expect(check({ schedule: '  0  9 * *\tMON-FRI ' })).toEqual({ schedule: '0 9 * * MON-FRI' });
    const whole = { schedule: '*/15 8-18 * * *', timezone: 'Europe/Berlin', message: 'Look at the queue.' };
    expect(check(whole)).toEqual(whole);
  });

  test.each<[Record<string, unknown>, string]>([
    [{}, 'cron transport: schedule is required, such as "0 9 * * MON-FRI"'],
    [
      { schedule: '' },
      'cron transport: schedule "" has 0 fields; it needs five: minute, hour, day of the month, month, day of the week',
    ],
    [{ schedule: '* * * *' }, 'has 4 fields; it needs five'],
    [{ schedule: '0 0 9 * * *' }, 'has 6 fields; it needs five'],
    [{ schedule: '@daily' }, 'has 1 field; it needs five'],
    [
      { schedule: '60 * * * *' },
      'cron transport: schedule "60 * * * *" has 60 for the minute, which goes from 0 to 59',
    ],
    [{ schedule: '0 24 * * *' }, 'has 24 for the hour, which goes from 0 to 23'],
    [{ schedule: '0 9 0 * *' }, 'has 0 for the day of the month, which goes from 1 to 31'],
    [{ schedule: '0 9 * 13 *' }, 'has 13 for the month, which goes from 1 to 12'],
    [{ schedule: '0 9 * * 1-8' }, 'has 8 for the day of the week, which goes from 0 to 7'],
    [{ schedule: '*/0 * * * *' }, 'is not understood: illegal stepping: 0'],
    [{ schedule: '5/15 * * * *' }, "is not understood: stepping with numeric prefix ('5/15') is not allowed"],
    [{ schedule: 'a b c d e' }, 'is not understood: '],
    [{ schedule: '0 0 30 2 *' }, 'never comes'],
    [
      { schedule: '0 9 * * *', timezone: 'Europe/Berlim' },
      'cron transport: there is no timezone "Europe/Berlim"; did you mean Europe/Berlin?',
    ],
    [
      { schedule: '0 9 * * *', timezone: '' },
      'cron transport: there is no timezone ""; give a name such as Europe/Berlin.',
    ],
    [{ schedule: '0 9 * * *', message: '' }, 'cron transport: message is empty; leave it out for a plain one'],
    [
      { schedule: '0 9 * * *', zone: 'UTC' },
      'parse cron config: there is no "zone" (valid: schedule, timezone, message)',
    ],
    [{ schedule: 5 }, 'cron transport: schedule is required'],
  ])('%j is refused with what is wrong', (config, sentence) => {
    expect(() => check(config)).toThrow(sentence);
  });

  test('never lets through what cannot be computed', () => {
    const word = fc.stringMatching(/^[-*/,?#0-9A-Z]{1,6}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 5, maxLength: 5 }), (fields) => {
        const schedule = fields.join(' ');
        try {
          check({ schedule });
        } catch (error) {
          expect(String(error)).toMatch(/^OrgError: cron transport: schedule /);
          return;
        }
        const next = cron.schedule.next({ schedule }, new Date('2026-01-01T00:00:00Z'));
        expect(next).toBeInstanceOf(Date);
        expect(cron.schedule.last({ schedule }, next!)).toEqual(next);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('in Europe/Berlin', () => {
  test.each([
    [
      'a time left out in spring comes when the clock has jumped',
      '30 2 * * *',
      '2026-03-28T00:00:00Z',
      ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'every half hour goes on in spring',
      '*/30 * * * *',
      '2026-03-29T00:10:00Z',
      ['2026-03-29T00:30', '2026-03-29T01:00', '2026-03-29T01:30'],
    ],
    [
      'a time that comes twice in autumn counts once',
      '30 2 * * *',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'every hour goes on in autumn',
      '0 * * * *',
      '2026-10-24T23:30:00Z',
      ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
    ],
    [
      'nine in the morning is nine in the morning',
      '0 9 * * *',
      '2026-10-24T00:00:00Z',
      ['2026-10-24T07:00', '2026-10-25T08:00'],
    ],
  ])('%s', (_name, schedule, after, expected) => {
    expect(times(schedule, 'Europe/Berlin', after, expected.length)).toEqual(expected);
  });
});

describe('in America/New_York', () => {
  test.each([
    [
      'a time left out in spring comes when the clock has jumped',
      '30 2 * * *',
      '2026-03-07T12:00:00Z',
      ['2026-03-08T07:00', '2026-03-09T06:30'],
    ],
    [
      'a time that comes twice in autumn counts once',
      '30 1 * * *',
      '2026-10-31T12:00:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'every hour goes on in autumn',
      '0 * * * *',
      '2026-11-01T04:30:00Z',
      ['2026-11-01T05:00', '2026-11-01T06:00', '2026-11-01T07:00'],
    ],
  ])('%s', (_name, schedule, after, expected) => {
    expect(times(schedule, 'America/New_York', after, expected.length)).toEqual(expected);
  });
});

test('looking back finds the times that looking forward finds, around every switch', () => {
  const schedules = ['30 2 * * *', '*/30 * * * *', '0 * * * *', '0 3 * * *', '15 1 * * *', '0 9 * * MON-FRI'];
  const starts = ['2026-03-08T00:00:00Z', '2026-03-28T20:00:00Z', '2026-10-24T20:00:00Z', '2026-10-31T22:00:00Z'];
  for (const timezone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']) {
    for (const schedule of schedules) {
      for (const start of starts) {
        const found = times(schedule, timezone, start, 20).map((time) => Date.parse(`${time}Z`));
        for (const [index, at] of found.entries()) {
          const before = (found[index + 1] ?? at + 1) - 1;
          const last = (moment: number) => cron.schedule.last({ schedule, timezone }, new Date(moment))?.getTime();
          expect([last(at), last(before)], `${schedule} ${timezone} ${at}`).toEqual([at, at]);
        }
      }
    }
  }
});

test('without a time zone it is UTC, whatever the machine’s own is', () => {
  expect(cron.schedule.next({ schedule: '0 9 * * *' }, new Date('2026-07-01T00:00:00Z'))?.toISOString()).toBe(
    '2026-07-01T09:00:00.000Z',
  );
});

describe('the Message', () => {
  const at = new Date('2026-03-29T07:00:00Z');
  const given = { schedule: '0 9 * * *', timezone: 'Europe/Berlin' };
  test('says what was due, and what to do', () => {
    expect(cron.schedule.message(given, { at, missed: 0 })).toEqual({
      subject: 'due 2026-03-29 09:00 Europe/Berlin',
      body: 'It is time: 0 9 * * * (Europe/Berlin).',
      extra: { due: '2026-03-29T07:00:00.000Z', ...given },
    });
    expect(cron.schedule.message({ ...given, message: 'Write the report.' }, { at, missed: 0 }).body).toBe(
      'Write the report.',
    );
  });
  test.each([
    [1, '(1 time before it was missed while nobody kept the time.)'],
    [7, '(7 times before it were missed while nobody kept the time.)'],
    [100, '(100 or more times before it were missed while nobody kept the time.)'],
  ])('says that %d were missed', (missed, note) => {
    const message = cron.schedule.message({ ...given, message: 'Look.' }, { at, missed });
    expect(message).toMatchObject({ body: `Look.\n\n${note}`, extra: { missed } });
  });
});
