// Every setting of the daemon itself: shapes, defaults and what they are for.
import { z } from 'zod';
import { define } from './setting-definition.ts';
import type { Settings } from './settings.ts';

const count = z.number().int().min(1);
const limit = count.nullable();
const dollars = z.number().positive().nullable();
const unknownKind = (input: unknown, valid: unknown[]) =>
  `unknown agent.kind ${JSON.stringify(input)} (valid: ${valid.join(', ')})`;

/** What may be set for one Worker; it wins over the setting for all. */
const ofWorker = z.strictObject({
  runs_per_hour: limit.optional(),
  runs_per_day: limit.optional(),
  cost_per_day: dollars.optional(),
  run_seconds: count.optional(),
  first_output_seconds: count.optional(),
});

/** Every setting of the daemon itself; transports bring their own. */
export const settingDefinitions = {
  'agent.kind': define(
    z.enum(['claude', 'codex', 'command'], { error: ({ input, values }) => unknownKind(input, values) }),
    'claude',
    'The program that plays AI Workers: claude, codex, or command. Where it is not set and agent.command is: command.',
  ),
  'agent.model': define(z.string(), 'sonnet', 'The model that plays AI Workers; empty for the default of the agent.'),
  'agent.effort': define(
    z.enum(['', 'low', 'medium', 'high', 'xhigh', 'max']),
    'low',
    'How much the model thinks: low, medium, high, xhigh or max; empty for the default of the agent.',
  ),
  'agent.context': define(
    z.enum(['fresh', 'resume']),
    'fresh',
    'Whether activations begin anew (fresh) or a Worker goes on in one session, outside one for each conversation (resume).',
  ),
  'agent.wrap': define(
    z.array(z.string()),
    [],
    'A command that stands before every agent, such as a sandbox, as a JSON array; see docs/security.md.',
  ),
  'agent.run_as': define(
    z.string(),
    '',
    "The operating system's user that agents run as; {worker} names the Worker. Needs a daemon that runs as root.",
  ),
  'claude.bin': define(z.string().min(1), 'claude', 'Where Claude Code is: a name on the PATH, or a path.'),
  'codex.bin': define(z.string().min(1), 'codex', 'Where Codex is: a name on the PATH, or a path.'),
  'agent.command': define(
    z.array(z.string()),
    [],
    'Program and arguments of the agent kind `command`, as a JSON array.',
  ),
  'chat.idle_seconds': define(
    count.max(604_800),
    900,
    'Seconds without a message after which the agent of a chat is ended; the next message goes on in its session.',
  ),
  'dispatch.max_inflight': define(
    count.max(1_000).nullable(),
    null,
    'Activations at once; null chooses by free memory.',
  ),
  'dispatch.max_hops': define(
    z.number().int().min(0),
    8,
    'AI Workers a causal chain may pass through before it is held.',
  ),
  'dispatch.batch_triggers': define(count.max(200), 20, 'Most triggers in one activation.'),
  'dispatch.batch_bytes': define(count, 32_768, 'Most bytes of Messages in one activation.'),
  'dispatch.first_output_seconds': define(count, 60, 'An agent that prints nothing for this long is stopped.'),
  'dispatch.run_seconds': define(count, 1_800, 'An activation that runs longer is stopped.'),
  'dispatch.attempts': define(count.max(10), 3, 'Runs of a batch that fails before its triggers are parked.'),
  'dispatch.max_activations_per_root': define(
    limit,
    50,
    'Activations that one cause may lead to; what is beyond is held. null: as many as come.',
  ),
  'dispatch.worker_runs_per_hour': define(limit, 60, 'Activations of one Worker in an hour; null: no limit.'),
  'dispatch.org_runs_per_hour': define(limit, 300, 'Activations of all Workers in an hour; null: no limit.'),
  'dispatch.worker_runs_per_day': define(limit, null, 'Activations of one Worker in a day (UTC); null: no limit.'),
  'dispatch.org_runs_per_day': define(limit, null, 'Activations of all Workers in a day (UTC); null: no limit.'),
  'dispatch.worker_cost_per_day': define(
    dollars,
    null,
    'US dollars one Worker may cost in a day (UTC); null: no limit.',
  ),
  'dispatch.org_cost_per_day': define(dollars, null, 'US dollars all Workers may cost in a day (UTC); null: no limit.'),
  'dispatch.unknown_run_cost': define(
    z.number().min(0),
    0.5,
    'US dollars that a run counts in daily costs while, or when, its agent does not report what it cost.',
  ),
  'dispatch.workers': define(
    z.record(z.string().startsWith('w-'), ofWorker),
    {},
    `Limits of single Workers, by id: ${Object.keys(ofWorker.shape).join(', ')}; as {"w-ann":{"runs_per_hour":120}}.`,
  ),
  'dispatch.publish_per_minute': define(
    limit,
    60,
    'Events an AI Worker may publish in a minute; what is beyond is held and goes on in turn. null: no limit.',
  ),
  'dispatch.publish_burst': define(count, 20, 'Events an AI Worker may publish at once after a quiet minute.'),
  'dispatch.expire_hours': define(
    count.nullable(),
    24,
    'What AI Workers and schedules asked for expires when it waited so long; pauses and holds do not count. null: never.',
  ),
  'dispatch.stall_alarm': define(count, 300, 'Seconds in which work waits and nothing moves before a notice says so.'),
  'retention.transcript_days': define(count, 30, 'Days that transcripts are kept.'),
  'http.inbound_per_minute': define(
    limit,
    null,
    'Deliveries that one address may send in a minute; null: 6000, and any number from programs on this machine.',
  ),
  'http.open_per_minute': define(
    limit,
    null,
    'Requests without a credential from one address in a minute; null: 600, and any number from this machine.',
  ),
  'http.failures_per_minute': define(
    limit,
    null,
    'Wrong credentials that one address may try in a minute; null: 30, and any number from this machine.',
  ),
  'outbound.allow_private': define(
    z.boolean(),
    false,
    'Whether Streams may send to this machine and its network; they choose the address.',
  ),
} as const;

/** Names by which some settings are known too. */
export const OTHER_NAMES: Record<string, keyof typeof settingDefinitions> = {
  'spawner.kind': 'agent.kind',
  'claude.model': 'agent.model',
  'claude.effort': 'agent.effort',
};

export type SettingKey = keyof typeof settingDefinitions;
export type SettingValue<K extends SettingKey> = z.output<(typeof settingDefinitions)[K]['schema']>;

/** The key that is meant. */
export const canonicalKey = (name: string): string =>
  Object.hasOwn(OTHER_NAMES, name) ? (OTHER_NAMES[name] as string) : name;

/** A limit of one Worker: its own when it has one, else that of all. */
export function workerLimit<K extends keyof WorkerLimits>(
  settings: Pick<Settings, 'get'>,
  workerId: string,
  own: K,
  key: SettingKey,
): NonNullable<WorkerLimits[K]> | null {
  const limits: WorkerLimits | undefined = settings.get('dispatch.workers')[workerId];
  const value = limits?.[own];
  return (value === undefined ? settings.get(key) : value) as NonNullable<WorkerLimits[K]> | null;
}

type WorkerLimits = z.output<typeof ofWorker>;
