import { expect, test } from 'vitest';
import { createCodexOutput } from '../../src/agents/codex-output.ts';
import type { Segment } from '../../src/domain/agent.ts';

function reading(most = Number.POSITIVE_INFINITY) {
  const segments: Segment[] = [];
  let over = 0;
  const output = createCodexOutput({
    onSegment(segment) {
      segments.push(segment);
      return segments.length < most;
    },
    onOver: () => void over++,
    about: { version: '0.169.0' },
    notes: ['a remark'],
  });
  const say = (message: object) => output.take(JSON.stringify(message), 'stdout');
  return { ...output, say, segments, bodies: () => segments.map(({ body }) => body), over: () => over };
}

const started = (item: object) => ({ type: 'item.started', item });
const completed = (item: object) => ({ type: 'item.completed', item });

test('A122 A125: shows what Codex does in order, each tool with its result', () => {
  const { say, bodies, segments } = reading();
  say({ type: 'thread.started', thread_id: 't-1' });
  say({ type: 'turn.started' });
  say(completed({ id: 'i0', type: 'reasoning', text: 'Hm.\nYes.' }));
  say(completed({ id: 'i1', type: 'agent_message', text: 'I ask.' }));
  const call = { id: 'i2', type: 'mcp_tool_call', server: 'helix', tool: 'publish', arguments: { body: 'x' } };
  const other = { id: 'i3', type: 'mcp_tool_call', server: 'helix', tool: 'dm', arguments: {} };
  say(started({ ...call, status: 'in_progress' }));
  say(started({ ...other, status: 'in_progress' }));
  say(completed({ ...other, status: 'failed', error: { message: 'gone' } }));
  say(
    completed({
      ...call,
      status: 'completed',
      result: { content: [{ type: 'text', text: 'e-1' }, { type: 'image' }] },
    }),
  );
  say(
    completed({
      id: 'i4',
      type: 'command_execution',
      command: 'ls',
      aggregated_output: 'a\nb',
      exit_code: 0,
      status: 'completed',
    }),
  );
  say(
    completed({
      id: 'i5',
      type: 'command_execution',
      command: 'no',
      aggregated_output: '?',
      exit_code: 127,
      status: 'failed',
    }),
  );
  say(completed({ id: 'i6', type: 'file_change', changes: [{ path: '/f/a.md', kind: 'add' }], status: 'completed' }));
  say(completed({ id: 'i7', type: 'web_search', query: 'rain' }));
  say(completed({ id: 'i8', type: 'something_new', text: 'x' }));
  say({ type: 'turn.completed', usage: { input_tokens: 1, output_tokens: 2 } });
  expect(bodies()).toEqual([
    '--- session start ---',
    'a remark',
    'thinking: Hm. Yes.',
    'assistant: I ask.',
    'tool_use mcp__helix__publish: {"body":"x"}',
    'tool_use mcp__helix__dm: {}',
    'tool_result-error: gone',
    'tool_result: e-1 [image]',
    'tool_use exec_command: {"command":"ls"}',
    'tool_result: a b',
    'tool_use exec_command: {"command":"no"}',
    'tool_result-error: exit code 127 ?',
    'tool_use apply_patch: {"changes":[{"path":"/f/a.md","kind":"add"}]}',
    'tool_result: completed',
    'tool_use web_search: {"query":"rain"}',
    'tool_result:',
    'result: I ask.',
  ]);
  // By its structure a result is found again, whichever came first.
  expect(segments[7]?.extra).toMatchObject({ tool_result: { id: 'i2', name: 'mcp__helix__publish', isError: false } });
  expect(segments[0]?.extra).toEqual({ session: 't-1', version: '0.169.0' });
});

test('shows retries, warnings, what it refused and what it logs', () => {
  const { say, take, bodies, state } = reading();
  say({ type: 'error', message: 'Reconnecting... 1/3 (busy)' });
  say(completed({ id: 'i0', type: 'error', message: 'Model metadata for `x` not found.' }));
  take('2026-01-01T00:00:00.1Z ERROR codex_core::tools::router: error=unsupported call: exec_command', 'stderr');
  take('2026-01-01T00:00:00.1Z ERROR something: else', 'stderr');
  take('no JSON', 'stdout');
  take('{ broken', 'stdout');
  take('', 'stderr');
  expect(bodies()).toEqual([
    'api_retry: Reconnecting... 1/3 (busy)',
    'warning: Model metadata for `x` not found.',
    'tool_result-error: unsupported call: exec_command',
    'stderr: 2026-01-01T00:00:00.1Z ERROR something: else',
    'no JSON',
    '{ broken',
  ]);
  expect(state.complaint).toBe('2026-01-01T00:00:00.1Z ERROR something: else');
});

test('knows how it ended also when the transcript is full, and counts what is lost', () => {
  const { say, state, segments, over } = reading(2);
  for (const text of ['one', 'two', 'three']) say(completed({ type: 'agent_message', text }));
  expect(over()).toBe(0);
  say({ type: 'turn.completed' });
  expect(over()).toBe(1);
  expect(segments).toHaveLength(2);
  expect(state).toMatchObject({ ended: {}, said: 'three' });
  expect(state.droppedBytes).toBeGreaterThan(10);
});
