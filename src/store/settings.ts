// Operational settings: how the daemon runs, not what the org is. Never journaled; read at use, so a change is live.
import { eq, like } from 'drizzle-orm';
import { z } from 'zod';
import { invalid, nearest } from '../domain/errors.ts';
import type { Db } from './database.ts';
import { settings } from './schema.ts';
import type { SecretBox } from './secrets.ts';

type Definition<S extends z.ZodType = z.ZodType> = { schema: S; fallback: z.output<S>; describe: string };

const define = <S extends z.ZodType>(schema: S, fallback: z.output<S>, describe: string): Definition<S> => ({
  schema,
  fallback,
  describe,
});

const count = z.number().int().min(1);
const unknownKind = (input: unknown, valid: unknown[]) =>
  `unknown agent.kind ${JSON.stringify(input)} (valid: ${valid.join(', ')})`;

/** Every setting there is. */
export const settingDefinitions = {
  'agent.kind': define(
    z.enum(['claude', 'command'], { error: ({ input, values }) => unknownKind(input, values) }),
    'claude',
    'The program that plays AI Workers: claude, or command. Where it is not set and agent.command is: command.',
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
  'agent.command': define(
    z.array(z.string()),
    [],
    'Program and arguments of the agent kind `command`, as a JSON array.',
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
} as const;

/** Names by which some settings are known too. */
export const OTHER_NAMES: Record<string, keyof typeof settingDefinitions> = {
  'spawner.kind': 'agent.kind',
  'claude.model': 'agent.model',
  'claude.effort': 'agent.effort',
};

export type SettingKey = keyof typeof settingDefinitions;
export type SettingValue<K extends SettingKey> = z.output<(typeof settingDefinitions)[K]['schema']>;

/** A setting as people see it: what holds, and whether it was given at the start, stored, or is the default. */
export type SettingView = { key: string; value: unknown; from: 'given' | 'stored' | 'default'; description: string };

export type Settings = {
  /** What holds now: given on the command line or by environment, else stored, else the default. */
  get<K extends SettingKey>(key: K): SettingValue<K>;
  /** @throws OrgError invalid with the reason */
  set(key: string, value: unknown): void;
  delete(key: string): boolean;
  /** Every setting, by key. */
  list(): SettingView[];
  /** A secret of our own making, such as a Stream's signing secret; encrypted at rest. */
  secret(name: string): string | undefined;
  setSecret(name: string, value: string): void;
  deleteSecret(name: string): void;
};

/**
 * @param overrides win over what is stored, for as long as this process runs
 */
export function createSettings({ orm }: Db, box: SecretBox, overrides: Record<string, unknown> = {}): Settings {
  // This process is the only writer, and some settings are read with every commit.
  const known = new Map<string, string | undefined>();
  const stored = (key: string) => {
    if (!known.has(key)) known.set(key, orm.select().from(settings).where(eq(settings.key, key)).get()?.value);
    return known.get(key);
  };
  const store = (key: string, value: string) => {
    known.delete(key);
    const updatedAt = new Date().toISOString();
    orm
      .insert(settings)
      .values({ key, value, updatedAt })
      .onConflictDoUpdate({ target: settings.key, set: { value, updatedAt } })
      .run();
  };
  const remove = (key: string) => {
    known.delete(key);
    return orm.delete(settings).where(eq(settings.key, key)).run().changes > 0;
  };
  const checked = new Map<string, unknown>(
    Object.entries(overrides).map(([key, value]) => [checkKey(key), checkSetting(key, value)]),
  );
  return {
    get(key) {
      if (checked.has(key)) return checked.get(key) as never;
      const text = stored(key);
      return (text === undefined ? settingDefinitions[key].fallback : JSON.parse(text)) as never;
    },
    set: (key, value) => store(checkKey(key), JSON.stringify(checkSetting(key, value))),
    delete: (key) => remove(checkKey(key)),
    list() {
      const keys = Object.keys(settingDefinitions).sort() as SettingKey[];
      return keys.map((key) => {
        const from = checked.has(key) ? 'given' : stored(key) === undefined ? 'default' : 'stored';
        return { key, value: this.get(key), from, description: settingDefinitions[key].describe };
      });
    },
    secret(name) {
      const sealed = stored(`secret.${name}`);
      return sealed === undefined ? undefined : box.open(sealed);
    },
    setSecret: (name, value) => store(`secret.${name}`, box.seal(value)),
    deleteSecret: (name) => void remove(`secret.${name}`),
  };
}

/** @throws OrgError invalid for an unknown key */
export function checkKey(key: string): SettingKey {
  if (Object.hasOwn(settingDefinitions, key)) return key as SettingKey;
  if (Object.hasOwn(OTHER_NAMES, key)) return OTHER_NAMES[key] as SettingKey;
  const near = nearest(key, Object.keys(settingDefinitions));
  throw invalid(`unknown config key "${key}" (no subsystem has registered it)${near ? `; did you mean ${near}?` : ''}`);
}

/** @throws OrgError invalid for an unknown key or a value that does not fit */
export function checkSetting(key: string, value: unknown): unknown {
  const definition: Definition = settingDefinitions[checkKey(key)];
  const parsed = definition.schema.safeParse(value);
  if (!parsed.success) throw invalid(`validate "${key}": ${reasonOf(parsed.error)}`);
  return parsed.data;
}

function reasonOf({ issues: [issue] }: z.ZodError): string {
  if (issue?.code !== 'invalid_type') return issue?.message.replace(/^Invalid input: /, '') ?? 'does not fit';
  const expected = { number: 'a number', int: 'an integer', array: 'a JSON array' }[issue.expected as string];
  return `not ${expected ?? `a ${issue.expected}`}`;
}

/** Whether secrets were sealed in this database. */
export function hasSecrets({ orm }: Db): boolean {
  return orm.select().from(settings).where(like(settings.key, 'secret.%')).limit(1).get() !== undefined;
}
