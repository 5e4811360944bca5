// Operational settings: how the daemon runs, not what the org is. Never journaled; read at use, so a change is live.
import { canonicalKey, type SettingKey, type SettingValue, settingDefinitions } from './daemon-settings.ts';
import type { Db } from './database.ts';
import { eq, like, or } from './drizzle.ts';
import { settings } from './schema.ts';
import type { SecretBox } from './secrets.ts';
import { checkSetting, type Registry, redact, requireDefinition, secretsIn, unredact } from './setting-definition.ts';

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
  /** Whether nobody gave or stored it. */
  isDefault(key: SettingKey): boolean;
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
  /** Every secret text that is set now, for {@link createMask}. */
  secretValues(): readonly string[];
  /** Seals every secret with another key, all or none, and uses that key from then on. */
  reseal(next: SecretBox): void;
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

export function createSettings(
  { orm }: Db,
  firstBox: SecretBox,
  { overrides, accounts }: SettingsOptions = {},
): Settings {
  let box = firstBox;
  const registry: Registry = { ...settingDefinitions, ...accounts };
  // This process is the only writer, and some settings are read with every commit.
  const known = new Map<string, string | undefined>();
  // Opened once: to decrypt a secret costs more than to check a signature with it.
  const opened = new Map<string, string>();
  const stored = (key: string) => {
    if (!known.has(key)) known.set(key, orm.select().from(settings).where(eq(settings.key, key)).get()?.value);
    return known.get(key);
  };
  let secretTexts: readonly string[] | undefined;
  const store = (key: string, value: string) => {
    known.delete(key);
    opened.delete(key);
    secretTexts = undefined;
    const updatedAt = new Date().toISOString();
    orm
      .insert(settings)
      .values({ key, value, updatedAt })
      .onConflictDoUpdate({ target: settings.key, set: { value, updatedAt } })
      .run();
  };
  const remove = (key: string) => {
    known.delete(key);
    opened.delete(key);
    secretTexts = undefined;
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
    isDefault: (key) => !given.has(key) && stored(key) === undefined,
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
      const key = `secret.${name}`;
      const sealed = stored(key);
      if (sealed === undefined) return undefined;
      const plain = opened.get(key) ?? box.open(sealed);
      opened.set(key, plain);
      return plain;
    },
    setSecret: (name, value) => store(`secret.${name}`, box.seal(value)),
    deleteSecret: (name) => void remove(`secret.${name}`),
    secretValues() {
      secretTexts ??= [
        ...Object.entries(registry).flatMap(([key, definition]) =>
          definition.secret === undefined
            ? []
            : secretsIn(
                definition,
                readable(() => holds(key)),
              ),
        ),
        ...sealedRows(orm).flatMap(({ key, prefix, sealed }) =>
          prefix === SEALED || !key.startsWith('secret.') ? [] : (readable(() => box.open(sealed)) ?? []),
        ),
      ];
      return secretTexts;
    },
    reseal(next) {
      orm.transaction((transaction) => {
        for (const { key, prefix, sealed } of sealedRows(transaction)) {
          const value = prefix + next.seal(box.open(sealed));
          transaction.update(settings).set({ value }).where(eq(settings.key, key)).run();
        }
      });
      box = next;
      known.clear();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What cannot be opened cannot be told apart from other text either. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** One of the secrets that are sealed in this database; undefined when there are none. */
export const sealedSample = ({ orm }: Db): string | undefined => sealedRows(orm)[0]?.sealed;

function sealedRows(orm: Pick<Db['orm'], 'select'>): { key: string; prefix: string; sealed: string }[] {
  const isSealed = or(like(settings.key, 'secret.%'), like(settings.value, `${SEALED}%`));
  const rows = orm.select().from(settings).where(isSealed).orderBy(settings.key).all();
  return rows.map(({ key, value }) => {
    const prefix = value.startsWith(SEALED) ? SEALED : '';
    return { key, prefix, sealed: value.slice(prefix.length) };
  });
}

/** Names of what was sealed and this key does not open. */
export function unreadableSecrets({ orm }: Db, box: Pick<SecretBox, 'open'>): string[] {
  return orm
    .select()
    .from(settings)
    .all()
    .flatMap(({ key, value }) => {
      const sealed = value.startsWith(SEALED)
        ? value.slice(SEALED.length)
        : key.startsWith('secret.')
          ? value
          : undefined;
      return sealed === undefined || opens(box, sealed) ? [] : [key];
    });
}

function opens(box: Pick<SecretBox, 'open'>, sealed: string): boolean {
  try {
    box.open(sealed);
    return true;
  } catch {
    return false;
  }
}
