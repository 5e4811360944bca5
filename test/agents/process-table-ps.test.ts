import { expect, test } from 'vitest';
import { parsePsLine } from '../../src/agents/process-table-ps.ts';

test('reads what ps prints on macOS', () => {
  const line =
    '  812   411   812 Ss   Thu Nov  6 04:59:00 2026     /opt/node agent.mjs LANG=C HELIX_ACTIVATION_ID=a-1 HOME=/x';
  expect(parsePsLine(line)).toEqual({
    pid: 812,
    parent: 411,
    group: 812,
    session: 0,
    startedAt: 'Thu Nov 6 04:59:00 2026',
    name: '/opt/node',
    zombie: false,
    activationId: 'a-1',
  });
});

test('reads a process without environment, a zombie, and an empty line', () => {
  expect(parsePsLine('1 0 1 Ss Fri Jan  2 10:00:00 2026 /sbin/launchd')).toMatchObject({ pid: 1, zombie: false });
  expect(parsePsLine('900 1 900 Z Fri Jan  2 10:00:00 2026')).toMatchObject({ pid: 900, name: '', zombie: true });
  expect(parsePsLine('')).toBeUndefined();
});
