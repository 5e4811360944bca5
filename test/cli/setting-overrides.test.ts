import { describe, expect, test } from 'vitest';
import { settingsOfEnvironment, variableOf } from '../../src/cli/setting-overrides.ts';
import { settingDefinitions } from '../../src/store/daemon-settings.ts';
import { spawnDaemon, startTestDaemon } from '../support/daemon.ts';

describe('settings by environment', () => {
  test('each setting has a variable of its own', () => {
    const names = Object.keys(settingDefinitions).map(variableOf);
    expect(new Set(names).size).toBe(names.length);
    expect(variableOf('dispatch.max_hops')).toBe('HELIX_ORG_DISPATCH_MAX_HOPS');
  });

  test('JSON is taken as JSON, anything else as text', () => {
    const environment = {
      HELIX_ORG_AGENT_COMMAND: '["node","agent.mjs"]',
      HELIX_ORG_AGENT_KIND: 'command',
      HELIX_ORG_DISPATCH_MAX_HOPS: '4',
      HELIX_ORG_DISPATCH_RUN_SECONDS: '',
      HELIX_ORG_HOME: '/somewhere',
      PATH: '/bin',
    };
    expect(settingsOfEnvironment(environment)).toEqual({
      settings: { 'agent.command': ['node', 'agent.mjs'], 'agent.kind': 'command', 'dispatch.max_hops': 4 },
      warnings: [],
    });
  });

  test('a value that does not fit is refused by name', () => {
    expect(() => settingsOfEnvironment({ HELIX_ORG_DISPATCH_MAX_HOPS: 'many' })).toThrow(
      'validate "dispatch.max_hops"',
    );
    expect(() => settingsOfEnvironment({ HELIX_ORG_AGENT_KIND: 'robot' })).toThrow('validate "agent.kind"');
  });

  test('a variable that names no setting is told, with the one that was meant', () => {
    const { settings, warnings } = settingsOfEnvironment({ HELIX_ORG_DISPATCH_MAX_HOP: '4', HELIX_ORG_COLOUR: 'red' });
    expect(settings).toEqual({});
    expect(warnings).toEqual([
      'HELIX_ORG_DISPATCH_MAX_HOP names no setting and is ignored; did you mean HELIX_ORG_DISPATCH_MAX_HOPS?',
      'HELIX_ORG_COLOUR names no setting and is ignored.',
    ]);
  });
});

test('a stored setting wins over the default, and what was given for this run over what is stored', async () => {
  const daemon = await startTestDaemon({ settings: { 'dispatch.max_hops': 4 } });
  expect(daemon.settings.get('dispatch.attempts')).toBe(3);
  daemon.settings.set('dispatch.attempts', 2);
  daemon.settings.set('dispatch.max_hops', 6);
  expect(daemon.settings.get('dispatch.attempts')).toBe(2);
  expect(daemon.settings.get('dispatch.max_hops')).toBe(4);
});

test('a flag wins over the environment', async () => {
  const daemon = await spawnDaemon({ agent: ['/bin/flag'], settings: { 'agent.command': ['/bin/environment'] } });
  expect(await daemon.greeting()).toContain('NOT READY: agent.command names "/bin/flag"');
});
