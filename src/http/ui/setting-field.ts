// A setting as a form field, and what was typed there as a value: text needs no quotes, and a secret that was not touched
// comes back as `"..."`, which the store takes for the one it has.
import { z } from 'zod';
import { OrgError } from '../../domain/errors.ts';
import { type Registry, requireDefinition } from '../../store/setting-definition.ts';
import type { Settings, SettingView } from '../../store/settings.ts';

const STATES = { given: 'given at the start', stored: 'set', default: 'default' };

export type SettingField = {
  key: string;
  /** Some of it is not shown. */
  secret: boolean;
  /** For an anchor. */
  slug: string;
  description: string;
  state: string;
  from: SettingView['from'];
  /** What stands in the field; never a secret. */
  text: string;
  isLong: boolean;
  choices: string[];
  isNumber: boolean;
  type: string;
};

export function shownSetting(view: SettingView, registry: Registry): SettingField {
  const { key, value, from, description, secret } = view;
  const { type, choices } = shapeOf(registry, key);
  const text =
    value === null || value === undefined
      ? ''
      : typeof value === 'string'
        ? value
        : JSON.stringify(value, null, isObject(value) ? 1 : 0);
  const isMissing =
    from === 'default' && (text === '' ? type === 'JSON object' || type === 'text' : /^(\[\]|\{\})$/.test(text));
  return {
    key,
    slug: key.replaceAll('.', '-'),
    secret,
    description,
    state: isMissing ? 'missing' : STATES[from],
    from,
    text,
    isLong: text.includes('\n') || text.length > 60,
    choices,
    isNumber: type === 'number' || type === 'integer',
    type: choices.length > 0 ? 'one of these' : type === 'integer' ? 'whole number' : type,
  };
}

/** Stores what was typed. @throws OrgError invalid with the reason */
export function storeTyped(settings: Settings, registry: Registry, key: string, typed: string): void {
  const text = typed.trim();
  if (text === '') return settings.set(key, shapeOf(registry, key).type === 'text' ? '' : null);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return settings.set(key, text);
  }
  try {
    settings.set(key, value);
  } catch (error) {
    // A text that looks like a number is still a text.
    if (!(error instanceof OrgError) || !requireDefinition(registry, key).schema.safeParse(text).success) throw error;
    settings.set(key, text);
  }
}

type Shape = { type?: string | string[]; enum?: unknown[]; anyOf?: Shape[] };

function shapeOf(registry: Registry, key: string): { type: string; choices: string[] } {
  const whole = z.toJSONSchema(requireDefinition(registry, key).schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as Shape;
  const shape = whole.anyOf?.find(({ type }) => type !== 'null') ?? whole;
  const type = Array.isArray(shape.type) ? (shape.type[0] ?? '') : (shape.type ?? '');
  const names: Record<string, string> = {
    string: 'text',
    array: 'JSON list',
    object: 'JSON object',
    boolean: 'true or false',
  };
  return { type: names[type] ?? type, choices: (shape.enum ?? []).map(String) };
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
