import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type SettingKey, settingDefinitions } from '../../src/store/daemon-settings.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createSecretBox } from '../../src/store/secrets.ts';
import { checkSetting, define } from '../../src/store/setting-definition.ts';
import { createSettings, type Settings, sealedSample } from '../../src/store/settings.ts';
import { testDirectory } from '../support/org.ts';

const box = createSecretBox(randomBytes(32));
let file: string;
let db: ReturnType<typeof openDatabase>;
let settings: Settings;

beforeEach(() => {
  file = join(testDirectory(), 'org.db');
  db = openDatabase(file);
  settings = createSettings(db, box);
  return () => db.sqlite.close();
});

describe('a setting', () => {
  test.each(Object.keys(settingDefinitions) as SettingKey[])(
    '%s has a default that fits, and says what it is',
    (key) => {
      const { fallback, describe: description } = settingDefinitions[key];
      expect(checkSetting(settingDefinitions, key, fallback)).toEqual(fallback);
      expect(settings.get(key)).toEqual(fallback);
      expect(description).toMatch(/^[A-Z].*\.$/);
    },
  );

  test('holds at once, and until it is deleted', () => {
    settings.set('dispatch.max_hops', 3);
    expect(settings.get('dispatch.max_hops')).toBe(3);
    expect(createSettings(db, box).get('dispatch.max_hops')).toBe(3);
    expect(settings.delete('dispatch.max_hops')).toBe(true);
    expect(settings.delete('dispatch.max_hops')).toBe(false);
    expect(settings.get('dispatch.max_hops')).toBe(8);
  });

  test('given for this run wins over what is stored, and is not stored', () => {
    settings.set('dispatch.max_hops', 3);
    expect(createSettings(db, box, { overrides: { 'dispatch.max_hops': 5 } }).get('dispatch.max_hops')).toBe(5);
    expect(settings.get('dispatch.max_hops')).toBe(3);
  });

  test.each([
    ['dispatch.max_hops', -1],
    ['dispatch.max_hops', 1.5],
    ['dispatch.max_hops', '3'],
    ['dispatch.batch_triggers', 0],
    ['agent.kind', 'nonsense'],
    ['agent.command', 'echo hi'],
    ['agent.command', [1]],
  ])('%s refuses %j, and keeps what it had', (key, value) => {
    expect(() => settings.set(key, value)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringMatching(`^validate "${key}": `) }),
    );
    expect(settings.get(key as SettingKey)).toEqual(settingDefinitions[key as SettingKey].fallback);
    expect(() => createSettings(db, box, { overrides: { [key]: value } })).toThrow('validate');
  });

  test.each(['nonsense', '', 'toString', '__proto__', 'constructor', 'secret.stream.s-in'])(
    'named %j is refused as unknown',
    (key) => {
      expect(() => settings.set(key, 1)).toThrow(
        expect.objectContaining({
          code: 'invalid',
          message: `unknown config key "${key}" (no subsystem has registered it)`,
        }),
      );
    },
  );
});

describe('a secret', () => {
  test('comes back as it was set, until it is deleted', () => {
    expect(settings.secret('stream.s-in')).toBeUndefined();
    settings.setSecret('stream.s-in', 'hush');
    settings.setSecret('stream.s-in', 'hush hush');
    expect(settings.secret('stream.s-in')).toBe('hush hush');
    settings.deleteSecret('stream.s-in');
    expect(settings.secret('stream.s-in')).toBeUndefined();
  });

  test('is not to be read in the file', () => {
    settings.setSecret('stream.s-in', 'whsec_0123456789');
    for (const end of ['', '-wal']) expect(readFileSync(`${file}${end}`).includes('whsec_0123456789')).toBe(false);
  });

  test('is not given to whoever holds another key, and the other settings go on', () => {
    settings.setSecret('stream.s-in', 'hush');
    settings.set('dispatch.max_hops', 3);
    const other = createSettings(db, createSecretBox(randomBytes(32), '/data/key'));
    expect(() => other.secret('stream.s-in')).toThrow(/^A secret cannot be read with \/data\/key: /);
    expect(other.get('dispatch.max_hops')).toBe(3);
  });

  test('is not given when it was tampered with', () => {
    settings.setSecret('stream.s-in', 'hush');
    db.sqlite.exec("UPDATE settings SET value = substr(value, 1, 20) || 'A' || substr(value, 22)");
    expect(() => settings.secret('stream.s-in')).toThrow(/cannot be read/);
  });
});

describe('a setting with secrets', () => {
  const accounts = {
    'transport.mail': define(
      z
        .object({ token: z.string().min(1, 'token is empty'), from: z.string(), note: z.string().optional() })
        .nullable(),
      null,
      'A mail account.',
      ['token', 'note'],
    ),
    'model.api_key': define(z.string(), '', 'A key.', true),
  };
  const view = (key: string, revealSecrets = false) =>
    settings.list({ revealSecrets }).find((each) => each.key === key)?.value;

  beforeEach(() => {
    settings = createSettings(db, box, { accounts });
  });

  test('A31: shows neither the secret fields of an object nor a secret text, unless it is asked to', () => {
    expect([view('transport.mail'), view('model.api_key')]).toEqual([null, '']);
    settings.set('transport.mail', { token: 'hush', from: 'a@b.example' });
    settings.set('model.api_key', 'hush too');
    expect(view('transport.mail')).toEqual({ token: '...', from: 'a@b.example' });
    expect(view('model.api_key')).toBe('...');
    expect(view('transport.mail', true)).toEqual({ token: 'hush', from: 'a@b.example' });
    expect(view('model.api_key', true)).toBe('hush too');
    expect(settings.account('transport.mail')).toEqual({ token: 'hush', from: 'a@b.example' });
  });

  test('keeps a secret that is given back as it was shown, and changes the rest', () => {
    settings.set('transport.mail', { token: 'hush', from: 'a@b.example', note: 'n' });
    settings.set('transport.mail', { token: '...', from: 'c@d.example' });
    expect(settings.account('transport.mail')).toEqual({ token: 'hush', from: 'c@d.example' });
    settings.set('model.api_key', 'hush too');
    settings.set('model.api_key', '...');
    expect(settings.account('model.api_key')).toBe('hush too');
  });

  test('does not take the dots for a secret where none is stored', () => {
    expect(() => settings.set('transport.mail', { token: '...', from: 'a@b.example' })).toThrow(
      /^validate "transport.mail"/,
    );
    expect(settings.account('transport.mail')).toBeUndefined();
  });

  test('refuses what does not fit without repeating it', () => {
    expect(() => settings.set('transport.mail', 'sesame')).toThrow('validate "transport.mail": not a JSON object');
    expect(() => settings.set('transport.mail', { token: '', from: 'sesame' })).toThrow(
      'validate "transport.mail": token is empty',
    );
  });

  test('is not to be read in the file, and needs the key that sealed it', () => {
    settings.set('transport.mail', { token: 'sesame-token', from: 'a@b.example' });
    for (const end of ['', '-wal']) expect(readFileSync(`${file}${end}`).includes('sesame-token')).toBe(false);
    expect(box.open(sealedSample(db)!)).toContain('sesame-token');
    const other = createSettings(db, createSecretBox(randomBytes(32), '/data/key'), { accounts });
    expect(() => other.account('transport.mail')).toThrow(/cannot be read with \/data\/key/);
  });
});
