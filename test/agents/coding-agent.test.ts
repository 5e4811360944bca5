// How a run of Claude Code or Codex is judged that was lost under it, as when the launcher was killed.
import { expect, test } from 'vitest';
import type { ProgramEnd } from '../../src/agents/agent-process.ts';
import { claudeEnding } from '../../src/agents/claude-ending.ts';
import { createClaudeOutput } from '../../src/agents/claude-output.ts';
import { codexEnding } from '../../src/agents/codex-ending.ts';
import { createCodexOutput } from '../../src/agents/codex-output.ts';

const lost: ProgramEnd = { outcome: 'lost', exit: 'lost: the launcher has ended' };

function claude(...lines: object[]) {
  const ignore = () => {};
  const output = createClaudeOutput({ onSegment: () => true, onFault: ignore, onProgress: ignore, now: () => 0 });
  for (const line of lines) output.take(JSON.stringify(line), 'stdout');
  return claudeEnding(lost, output.state, false);
}

function codex(...lines: object[]) {
  const about = { version: null, model: '', effort: '', shell: false, webSearch: false, log: undefined };
  const output = createCodexOutput({ onSegment: () => true, onOver: () => {}, notes: [], about });
  for (const line of lines) output.take(JSON.stringify(line), 'stdout');
  return codexEnding(lost, output.state, undefined);
}

test('is lost while it had not said all', () => {
  expect(claude()).toMatchObject(lost);
  expect(codex()).toMatchObject(lost);
  expect(codex({ type: 'thread.started', thread_id: 't-1' }, { type: 'turn.started' })).toMatchObject(lost);
});

test('is done when its result was in', () => {
  const done = { outcome: 'done', exit: 'ok' };
  expect(claude({ type: 'result', subtype: 'success', is_error: false, result: 'Done.' })).toMatchObject(done);
  expect(codex({ type: 'thread.started', thread_id: 't-1' }, { type: 'turn.completed', usage: {} })).toMatchObject(
    done,
  );
});
