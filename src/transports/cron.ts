import { Cron } from 'croner';
import { z } from 'zod';
import { nearest } from '../domain/errors.ts';
import type { Transport } from './transport.ts';

const MESSAGE_MAX = 20_000;
const UTC = 'UTC';
/** How many of the coming times are shown. */
const SHOWN = 3;

/** Lowest and highest number of each of the five fields; a week's day 7 is Sunday, as is 0. */
const FIELDS = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['day of the month', 1, 31],
  ['month', 1, 12],
  ['day of the week', 0, 7],
] as const;

const config = z.strictObject(
  {
    schedule: z
      .string({ error: 'cron transport: schedule is required, such as "0 9 * * MON-FRI"' })
      .transform((schedule) => schedule.trim().split(/\s+/).join(' '))
      .superRefine((schedule, context) => {
        const problem = problemOf(schedule);
        if (problem) context.addIssue(`cron transport: schedule ${JSON.stringify(schedule.slice(0, 100))} ${problem}`);
      }),
    timezone: z
      .string({ error: 'cron transport: timezone must be a name such as Europe/Berlin' })
      .superRefine((zone, context) => {
        if (!isZone(zone)) context.addIssue(unknownZone(zone));
      })
      .optional(),
    message: z
      .string({ error: 'cron transport: message must be a text' })
      .min(1, 'cron transport: message is empty; leave it out for a plain one')
      .max(MESSAGE_MAX, `cron transport: message is longer than ${MESSAGE_MAX} characters`)
      .optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `parse cron config: there is no ${issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')} (valid: schedule, timezone, message)`
        : 'parse cron config: must be an object',
  },
);

type CronConfig = z.output<typeof config>;

/**
 * An Event at the times of a cron expression. In the time zone's own clock: what falls into the hour that is left out in
 * spring comes at its end, and a time of day that comes twice in autumn counts once.
 */
export const cron = {
  kind: 'cron',
  config,
  schedule: {
    next: (given, after) => cronOf(given).nextRun(after) ?? undefined,
    // What croner calls previous excludes the second it is asked about.
    last: (given, upTo) => cronOf(given).previousRuns(1, new Date((Math.floor(upTo.getTime() / 1_000) + 1) * 1_000))[0],
    message(given, { at, missed }) {
      const { schedule, timezone = UTC, message } = given;
      const times =
        missed === 1 ? '1 time before it was' : `${missed >= 100 ? '100 or more' : missed} times before it were`;
      const note = missed === 0 ? '' : `(${times} missed while nobody kept the time.)`;
      return {
        subject: `due ${inZone(at, timezone)}`,
        body: [message ?? `It is time: ${schedule} (${timezone}).`, note].filter(Boolean).join('\n\n'),
        extra: { due: at.toISOString(), schedule, timezone, ...(missed === 0 ? {} : { missed }) },
      };
    },
    describe(given, now) {
      const { timezone = UTC } = given;
      const times = cronOf(given).nextRuns(SHOWN, now);
      return { next: times.map((time) => inZone(time, timezone)).join(', ') };
    },
  },
} satisfies Transport<typeof config>;

function cronOf({ schedule, timezone = UTC }: Pick<CronConfig, 'schedule' | 'timezone'>): Cron {
  return new Cron(schedule, { mode: '5-part', timezone, paused: true });
}

/** What is wrong with a schedule, to follow it in a sentence. */
function problemOf(schedule: string): string | undefined {
  const fields = schedule === '' ? [] : schedule.split(' ');
  const names = FIELDS.map(([name]) => name).join(', ');
  if (fields.length !== FIELDS.length)
    return `has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}; it needs five: ${names}`;
  for (const [index, [name, lowest, highest]] of FIELDS.entries()) {
    // What follows a / is a step, what follows a # counts weeks.
    const numbers = (fields[index] ?? '').match(/(?<![/#\d.])\d+/g) ?? [];
    const wrong = numbers.find((number) => Number(number) < lowest || Number(number) > highest);
    if (wrong) return `has ${wrong} for the ${name}, which goes from ${lowest} to ${highest}`;
  }
  try {
    if (cronOf({ schedule }).nextRun(new Date())) return undefined;
    return 'never comes, as the 30th of February';
  } catch (error) {
    return `is not understood: ${(error as Error).message.replace(/^CronPattern: (Syntax error, )?/, '')}`;
  }
}

function isZone(zone: string): boolean {
  try {
    return zone !== '' && new Intl.DateTimeFormat('en', { timeZone: zone }).format() !== '';
  } catch {
    return false;
  }
}

function unknownZone(zone: string): string {
  const near = nearest(zone, Intl.supportedValuesOf('timeZone'));
  return `cron transport: there is no timezone ${JSON.stringify(zone.slice(0, 60))}; ${near ? `did you mean ${near}?` : 'give a name such as Europe/Berlin.'}`;
}

/** `2026-11-02 09:00 Europe/Berlin` */
function inZone(time: Date, timeZone: string): string {
  const options = { timeZone, dateStyle: 'short', timeStyle: 'short' } as const;
  return `${new Intl.DateTimeFormat('sv-SE', options).format(time)} ${timeZone}`;
}
