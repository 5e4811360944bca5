// Settings given from outside for one run: by environment variables. `dispatch.max_hops` is HELIX_ORG_DISPATCH_MAX_HOPS.
import { nearest, OrgError } from '../domain/errors.ts';
import { canonicalKey, OTHER_NAMES } from '../store/daemon-settings.ts';
import { checkSetting, requireDefinition } from '../store/setting-definition.ts';
import { settingRegistry } from './setting-registry.ts';

const PREFIX = 'HELIX_ORG_';
/** Variables with our prefix that are no settings. */
const OTHERS = new Set(['HELIX_ORG_HOME', 'HELIX_ORG_DEBUG']);

export const variableOf = (key: string): string => PREFIX + key.replaceAll('.', '_').toUpperCase();

/** What the environment sets, checked, and a sentence about each variable that sets nothing. @throws OrgError invalid */
export function settingsOfEnvironment(environment: NodeJS.ProcessEnv): {
  settings: Record<string, unknown>;
  warnings: string[];
} {
  const names = [...Object.keys(settingRegistry), ...Object.keys(OTHER_NAMES)];
  const keys = new Map(names.map((name) => [variableOf(name), canonicalKey(name)]));
  const settings: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || OTHERS.has(name) || !text) continue;
    const key = keys.get(name);
    if (key === undefined) warnings.push(unknown(name, keys.keys()));
    else settings[key] = parseSetting(key, text);
  }
  return { settings, warnings };
}

/** JSON where it is JSON that fits, else the text as it stands. @throws OrgError invalid */
export function parseSetting(key: string, text: string): unknown {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    return checkSetting(settingRegistry, key, text);
  }
  try {
    return checkSetting(settingRegistry, key, value);
  } catch (error) {
    // A text that looks like a number is still a text.
    if (error instanceof OrgError && requireDefinition(settingRegistry, key).schema.safeParse(text).success)
      return text;
    throw error;
  }
}

function unknown(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return `${name} names no setting and is ignored${near ? `; did you mean ${near}?` : '.'}`;
}
