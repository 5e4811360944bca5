import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { shownSetting, storeTyped } from '../../src/http/ui/setting-field.ts';
import { settingDefinitions } from '../../src/store/daemon-settings.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createSecretBox } from '../../src/store/secrets.ts';
import { define, type Registry } from '../../src/store/setting-definition.ts';
import { createSettings } from '../../src/store/settings.ts';

const accounts: Registry = {
  'transport.mail': define(
    z.object({ token: z.string(), from: z.string() }).nullable(),
    null,
    'The account that mail goes through.',
    ['token'],
  ),
  'agent.login': define(z.string(), '', 'What the agent logs in with.', true),
};
const registry: Registry = { ...settingDefinitions, ...accounts };

function open() {
  const db = openDatabase(':memory:');
  onTestFinished(() => void db.sqlite.close());
  const settings = createSettings(db, createSecretBox(Buffer.alloc(32)), { accounts });
  return {
    settings,
    type: (key: string, text: string) => storeTyped(settings, registry, key, text),
    shown(key: string) {
      const view = settings.list().find((each) => each.key === key);
      return view && shownSetting(view, registry);
    },
  };
}

test('A194: a masked secret that is saved untouched stays what it is', () => {
  const { settings, type, shown } = open();
  expect(shown('transport.mail')).toMatchObject({ state: 'missing', text: '' });
  type('transport.mail', '{"token": "t0p", "from": "a@b.example"}');
  const { text = '', state } = shown('transport.mail') ?? {};
  expect(state).toBe('set');
  expect(text).not.toContain('t0p');
  type('transport.mail', text);
  expect(settings.account('transport.mail')).toEqual({ token: 't0p', from: 'a@b.example' });
  type('transport.mail', text.replace('a@b.example', 'c@d.example'));
  expect(settings.account('transport.mail')).toEqual({ token: 't0p', from: 'c@d.example' });
  type('agent.login', 'sesame');
  expect(shown('agent.login')).toMatchObject({ text: '...', secret: true });
  type('agent.login', '...');
  expect(settings.account('agent.login')).toBe('sesame');
});

test('A194: text needs no quotes, also when it looks like something else', () => {
  const { settings, type } = open();
  for (const text of ['plain', 'with "quotes"', '12', 'true', '{x']) {
    type('agent.login', text);
    expect(settings.account('agent.login')).toBe(text);
  }
  type('agent.login', '"quoted"');
  expect(settings.account('agent.login')).toBe('quoted');
});

test('lists, numbers and nothing at all are taken for what they are', () => {
  const { settings, type, shown } = open();
  type('agent.command', '["node", "agent.mjs"]');
  type('dispatch.max_inflight', ' 3 ');
  expect([settings.get('agent.command'), settings.get('dispatch.max_inflight')]).toEqual([['node', 'agent.mjs'], 3]);
  type('dispatch.max_inflight', '');
  expect(settings.get('dispatch.max_inflight')).toBeNull();
  expect(() => type('dispatch.max_hops', '')).toThrow('validate "dispatch.max_hops": not a number');
  expect(() => type('dispatch.max_hops', '1.5')).toThrow('not an integer');
  expect(() => type('agent.command', 'node agent.mjs')).toThrow('not a JSON array');
  expect(shown('agent.kind')).toMatchObject({
    choices: expect.arrayContaining(['claude', 'command']),
    state: 'default',
  });
});
