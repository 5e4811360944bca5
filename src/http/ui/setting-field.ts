// A setting as a form field, and what was typed there as a value: text needs no quotes, a secret that was not touched stays.
import { z } from 'zod';
import { checkSetting, type SettingKey, type SettingView, settingDefinitions } from '../../store/settings.ts';

const STATES = { given: 'given at the start', stored: 'set', default: 'default' };

export type SettingField = {
  key: string;
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

export function shownSetting(view: SettingView): SettingField {
  const { key, value, from, description } = view;
  const { type, choices } = shapeOf(key as SettingKey);
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, isObject(value) ? 1 : 0);
  const isMissing = from === 'default' && (text === '' || text === '[]' || text === '{}');
  return {
    key,
    slug: key.replaceAll('.', '-'),
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

/**
 * The value that a typed text stands for; undefined when nothing is to be changed.
 * @throws OrgError invalid with the reason
 */
export function readSetting(key: SettingKey, typed: string): unknown {
  const text = typed.trim();
  if (text === '') return checkSetting(key, shapeOf(key).type === 'text' ? '' : null);
  try {
    return checkSetting(key, JSON.parse(text));
  } catch (error) {
    // What is no JSON of the right kind may be meant as text; if that does not fit either, the first reason says more.
    if (error instanceof SyntaxError) return checkSetting(key, text);
    try {
      return checkSetting(key, text);
    } catch {
      throw error;
    }
  }
}

type Shape = { type?: string | string[]; enum?: unknown[]; anyOf?: Shape[] };

function shapeOf(key: SettingKey): { type: string; choices: string[] } {
  const whole = z.toJSONSchema(settingDefinitions[key].schema, { io: 'input', unrepresentable: 'any' }) as Shape;
  const shape = whole.anyOf?.find(({ type }) => type !== 'null') ?? whole;
  const type = Array.isArray(shape.type) ? (shape.type[0] ?? '') : (shape.type ?? '');
  const names: Record<string, string> = { string: 'text', array: 'JSON list', object: 'JSON object', boolean: 'true or false' };
  return { type: names[type] ?? type, choices: (shape.enum ?? []).map(String) };
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
