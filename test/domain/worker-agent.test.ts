import { describe, expect, test } from 'vitest';
import { chooseAgent } from '../../src/domain/worker-agent.ts';

describe('what is chosen for a Worker', () => {
  test('stays where it is left out, goes back to the settings where it is null', () => {
    const chosen = chooseAgent({}, { kind: 'claude', model: 'opus', runSeconds: 60 }, 'w-boss');
    expect(chosen).toEqual({ kind: 'claude', model: 'opus', runSeconds: 60 });
    expect(chooseAgent(chosen, { effort: 'high', model: null }, 'w-boss')).toEqual({
      kind: 'claude',
      effort: 'high',
      runSeconds: 60,
    });
  });

  test('a model is not taken along to another kind, a time limit is', () => {
    const before = { kind: 'claude', model: 'opus', effort: 'low', runSeconds: 60 };
    expect(chooseAgent(before, { kind: 'codex' }, 'w-boss')).toEqual({ kind: 'codex', runSeconds: 60 });
  });

  test('only the owner chooses a command, since it is any code', () => {
    const command = ['/bin/sh', '-c', 'x'];
    expect(() => chooseAgent({}, { kind: 'command', command }, 'w-boss')).toThrow('only the owner chooses it');
    const chosen = chooseAgent({}, { command }, 'w-owner');
    expect(chosen).toEqual({ kind: 'command', command });
    // It may be sent along unchanged, and is not to be taken away by others either.
    expect(chooseAgent(chosen, { command, runSeconds: 5 }, 'w-boss')).toEqual({ ...chosen, runSeconds: 5 });
    expect(() => chooseAgent(chosen, { command: null }, 'w-boss')).toThrow('only the owner chooses it');
  });

  test.each([
    [{ kind: 'puppet' }, 'unknown agent kind "puppet" (valid: claude, codex, command)'],
    [{ effort: 'huge' }, 'unknown agent effort'],
    [{ model: '--dangerously' }, 'no name of a model'],
    [{ runSeconds: 0.5 }, 'whole number of seconds'],
    [{ command: ['./here'] }, 'whole path'],
    [{ command: [''] }, 'names a program first'],
    [{ command: ['/bin/a\0b'] }, 'NUL'],
    [{ kind: 'codex', command: ['/bin/sh'] }, 'belongs to the kind command'],
  ])('%j is refused: %s', (change, reason) => {
    expect(() => chooseAgent({}, change, 'w-owner')).toThrow(reason);
  });
});
