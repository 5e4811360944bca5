// Operational settings: how the daemon runs, not what the org is. Never journaled; read at use, so a change is live.
import { eq, like, or } from 'drizzle-orm';
import { canonicalKey, type SettingKey, type SettingValue, settingDefinitions } from './daemon-settings.ts';
import type { Db } from './database.ts';
import { settings } from './schema.ts';
import type { SecretBox } from './secrets.ts';
import { checkSetting, type Registry, redact, requireDefinition, unredact } from './setting-definition.ts';

/** A setting as people see it: what holds, and whether it was given at the start, stored, or is the default. */
export type SettingView = {
  key: string;
  /** Secrets are replaced by `"..."` unless they were asked for. */
  value: unknown;
  from: 'given' | 'stored' | 'default';
  description: string;
  /** Whether the value has parts that are not shown. */
  secret: boolean;
};

export type Settings = {
  /** What holds now: given on the command line or by environment, else stored, else the default. */
  get<K extends SettingKey>(key: K): SettingValue<K>;
  /** What a transport's own setting holds; undefined when it is not set. */
  account(key: string): unknown;
  /** A secret given as `"..."` stays as it is stored. @throws OrgError invalid with the reason */
  set(key: string, value: unknown): void;
  /** @throws OrgError invalid for an unknown key */
  delete(key: string): boolean;
  /** Every setting, by key. */
  list(options?: { revealSecrets?: boolean }): SettingView[];
  /** A secret of our own making, such as a Stream's signing secret; encrypted at rest. */
  secret(name: string): string | undefined;
  setSecret(name: string, value: string): void;
  deleteSecret(name: string): void;
  /** Called after each change by {@link set} or {@link delete}. @returns what stops it */
  onChange(listener: (key: string) => void): () => void;
};

/** What goes before values that are encrypted; JSON never begins so. */
const SEALED = 'sealed:';

export type SettingsOptions = {
  /** Win over what is stored, for as long as this process runs. */
  overrides?: Record<string, unknown>;
  /** Settings that transports bring along. */
  accounts?: Registry;
};

export function createSettings({ orm }: Db, box: SecretBox, { overrides, accounts }: SettingsOptions = {}): Settings {
  const registry: Registry = { ...settingDefinitions, ...accounts };
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
  const given = new Map(
    Object.entries(overrides ?? {}).map(([name, value]) => {
      const key = canonicalKey(name);
      return [key, checkSetting(registry, key, value)] as const;
    }),
  );
  const parse = (text: string): unknown =>
    JSON.parse(text.startsWith(SEALED) ? box.open(text.slice(SEALED.length)) : text);
  const holds = (key: string): unknown => {
    if (given.has(key)) return given.get(key);
    const text = stored(key);
    return text === undefined ? requireDefinition(registry, key).fallback : parse(text);
  };
  const listeners = new Set<(key: string) => void>();
  const tell = (key: string) => {
    for (const listener of listeners) listener(key);
  };
  return {
    get: (key) => holds(key) as never,
    account: (key) => holds(key) ?? undefined,
    set(name, value) {
      const key = canonicalKey(name);
      const definition = requireDefinition(registry, key);
      const text = stored(key);
      const before = text === undefined ? undefined : parse(text);
      const json = JSON.stringify(checkSetting(registry, key, unredact(definition, value, before)));
      store(key, definition.secret === undefined ? json : SEALED + box.seal(json));
      tell(key);
    },
    delete(name) {
      const key = canonicalKey(name);
      requireDefinition(registry, key);
      const wasThere = remove(key);
      tell(key);
      return wasThere;
    },
    list({ revealSecrets = false } = {}) {
      return Object.keys(registry)
        .sort()
        .map((key) => {
          const definition = requireDefinition(registry, key);
          const value = holds(key);
          return {
            key,
            value: revealSecrets ? value : redact(definition, value),
            from: given.has(key) ? 'given' : stored(key) === undefined ? 'default' : 'stored',
            description: definition.describe,
            secret: definition.secret !== undefined,
          };
        });
    },
    secret(name) {
      const sealed = stored(`secret.${name}`);
      return sealed === undefined ? undefined : box.open(sealed);
    },
    setSecret: (name, value) => store(`secret.${name}`, box.seal(value)),
    deleteSecret: (name) => void remove(`secret.${name}`),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Whether secrets were sealed in this database. */
export function hasSecrets({ orm }: Db): boolean {
  const isSealed = or(like(settings.key, 'secret.%'), like(settings.value, `${SEALED}%`));
  return orm.select().from(settings).where(isSealed).limit(1).get() !== undefined;
}
