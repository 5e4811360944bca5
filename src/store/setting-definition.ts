// What a setting is: its shape, what holds without one, and which of its parts are secret.
import type { z } from 'zod';
import { invalid, nearest } from '../domain/errors.ts';

export type Definition<S extends z.ZodType = z.ZodType> = {
  schema: S;
  fallback: z.output<S>;
  describe: string;
  /** Parts never shown and encrypted at rest: names of fields, such as `smtp.pass`, or `true` for the whole value. */
  secret?: readonly string[] | true;
};

/** Settings by key, such as `dispatch.max_hops`. */
export type Registry = Readonly<Record<string, Definition>>;

/** Stands for a secret wherever a setting is shown; given back unchanged it means the secret that is stored. */
export const REDACTED = '...';

export const define = <S extends z.ZodType>(
  schema: S,
  fallback: z.output<S>,
  describe: string,
  secret?: Definition['secret'],
): Definition<S> => ({ schema, fallback, describe, ...(secret === undefined ? {} : { secret }) });

/** @throws OrgError invalid for an unknown key */
export function requireDefinition(registry: Registry, key: string): Definition {
  const definition = Object.hasOwn(registry, key) ? registry[key] : undefined;
  if (definition) return definition;
  const near = nearest(key, Object.keys(registry));
  throw invalid(`unknown config key "${key}" (no subsystem has registered it)${near ? `; did you mean ${near}?` : ''}`);
}

/** @throws OrgError invalid for an unknown key or a value that does not fit */
export function checkSetting(registry: Registry, key: string, value: unknown): unknown {
  const parsed = requireDefinition(registry, key).schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reason = reasonOf(parsed.error);
  throw invalid(reason.startsWith(`${key}: `) ? reason : `validate "${key}": ${reason}`);
}

function reasonOf({ issues: [issue] }: z.ZodError): string {
  if (issue?.code !== 'invalid_type') return issue?.message.replace(/^Invalid input: /, '') ?? 'does not fit';
  if (issue.path.length > 0) return issue.message.replace(/^Invalid input: /, `${issue.path.join('.')}: `);
  const expected = {
    number: 'a number',
    int: 'an integer',
    array: 'a JSON array',
    object: 'a JSON object',
    boolean: 'true or false',
  }[issue.expected as string];
  return `not ${expected ?? `a ${issue.expected}`}`;
}

/** The value without its secrets. */
export function redact({ secret }: Definition, value: unknown): unknown {
  return mapSecrets(secret, value, () => REDACTED);
}

/** Every secret text in a value. */
export function secretsIn({ secret }: Definition, value: unknown): string[] {
  const found: string[] = [];
  mapSecrets(secret, value, (part) => found.push(...textsIn(part)));
  return found;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The value with the secrets that were given back redacted filled in from what is stored. */
export function unredact({ secret }: Definition, value: unknown, stored: unknown): unknown {
  return mapSecrets(secret, value, (part, field) => {
    if (part !== REDACTED) return part;
    const names = field === undefined ? [] : field.split('.');
    return names.reduce((within, name) => (isObject(within) ? within[name] : undefined), stored);
  });
}

function mapSecrets(
  secret: Definition['secret'],
  value: unknown,
  change: (part: unknown, field?: string) => unknown,
  within = '',
): unknown {
  if (secret === undefined || value === null || value === undefined || value === '') return value;
  if (secret === true) return change(value);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, part]) => {
    const field = within + name;
    if (secret.includes(field)) return [name, part !== '' && part !== null ? change(part, field) : part];
    return [name, mapSecrets(secret, part, change, `${field}.`)];
  });
  return Object.fromEntries(entries.filter(([, part]) => part !== undefined));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
