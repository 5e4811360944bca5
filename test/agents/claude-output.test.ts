import { expect, test } from 'vitest';
import { fakeClaude, playClaude } from './fake-claude.ts';

const playing = (body: string, change = {}) => playClaude({ bin: fakeClaude(body) }, change);

test('A122: writes each kind of line as the table says, with the structure beside it', async () => {
  const { bodies, segments, result } = await playing(`
    say(init);
    say(assistant({ type: 'thinking', thinking: 'Let me\\n\\nsee.' }));
    say(assistant({ type: 'text', text: 'I look  it up.' }));
    say(assistant({ type: 'tool_use', id: 't1', name: 'mcp__helix__publish', input: { streamId: 's-a', body: 'hi' } }));
    say({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '{"id": "e-1"}' }, { type: 'image' }] }] } });
    say(assistant({ type: 'tool_use', id: 't2', name: 'Read', input: { file_path: '/etc/passwd' } }));
    say({ type: 'system', subtype: 'permission_denied', tool_name: 'Read', decision_reason: 'path outside' });
    say({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't2', is_error: true, content: 'denied' }] } });
    say({ type: 'assistant', parent_tool_use_id: 't3', message: { content: [{ type: 'text', text: 'I am below.' }, { type: 'tool_use', id: 't4', name: 'Glob', input: {} }] } });
    say({ type: 'user', parent_tool_use_id: 't3', message: { content: [{ type: 'text', text: 'the order to it' }] } });
    say({ type: 'system', subtype: 'api_retry', attempt: 1, max_retries: 4, retry_delay_ms: 530, error_status: 529, error: 'overloaded' });
    say({ type: 'system', subtype: 'compact_boundary' });
    say({ type: 'rate_limit_event', rate_limit_info: { status: 'allowed' } });
    say({ type: 'rate_limit_event', rate_limit_info: { status: 'allowed_warning', resetsAt: 1795000000 } });
    say({ type: 'system', subtype: 'something_new' });
    say({ type: 'tool_progress' });
    console.error('a  warning');
    say({ ...result, permission_denials: [{ tool_name: 'Read', tool_input: {} }] });`);
  expect(bodies.filter((body) => !body.startsWith('stderr'))).toEqual([
    '--- session start ---',
    'thinking: Let me see.',
    'assistant: I look it up.',
    'tool_use mcp__helix__publish: {"streamId":"s-a","body":"hi"}',
    'tool_result: {"id": "e-1"} [image]',
    'tool_use Read: {"file_path":"/etc/passwd"}',
    'permission denied: Read: path outside',
    'tool_result-error: denied',
    'sub-agent assistant: I am below.',
    'sub-agent tool_use Glob: {}',
    'api_retry: 529 overloaded; attempt 1 of 4 in 0.5 s',
    'the conversation was summarised, since it had become too long',
    'rate limit: allowed_warning, resets at 2026-11-18T11:06:40.000Z',
    'result: Done.',
  ]);
  expect(bodies).toContain('stderr: a warning');
  const extras = Object.fromEntries(segments.map(({ body, extra }) => [body.split(':')[0], extra]));
  expect(extras['--- session start ---']).toMatchObject({ session: 'the-session', tools: ['Read'] });
  expect(extras['tool_use mcp__helix__publish']).toEqual({
    tool_use: { id: 't1', name: 'mcp__helix__publish', input: { streamId: 's-a', body: 'hi' } },
  });
  expect(extras.tool_result).toMatchObject({ tool_result: { id: 't1', name: 'mcp__helix__publish', isError: false } });
  expect(extras.result).toMatchObject({ result: { permissionDenials: [{ tool_name: 'Read' }] } });
  // The last cost is the process's; tokens count what was cached as well.
  expect(result).toEqual({
    outcome: 'done',
    exit: 'ok',
    session: 'the-session',
    usage: { costUsd: 0.5, inputTokens: 18, outputTokens: 22 },
  });
});

test('A124: shows lines that are no JSON as they are, collapsed and cut, and does not stumble over others', async () => {
  const { bodies, result } = await playing(`
    console.log('Warning:   something\\todd ' + 'x'.repeat(600));
    console.log('{"type": broken');
    console.log('["json", "but no message"]');
    console.log('null');
    say(init);
    say({ type: 'assistant' });
    say({ type: 'assistant', message: { content: null } });
    say({ type: 'assistant', message: { content: [null, 'x', { type: 'text' }] } });
    say({ type: 'user', message: { content: 'text' } });
    say({ type: 'stream_event' });
    say({ type: 'result', subtype: 'success' });`);
  expect(bodies[0]).toBe(`Warning: something odd ${'x'.repeat(477)}…`);
  expect(bodies.slice(1)).toEqual([
    '{"type": broken',
    '["json", "but no message"]',
    'null',
    '--- session start ---',
    'result: success',
  ]);
  expect(result).toMatchObject({ outcome: 'done' });
});

test('A127: cuts between characters, and keeps in the extra what was cut', async () => {
  const { segments } = await playing(`
    say(init);
    say(assistant({ type: 'text', text: '🙂'.repeat(700) }));
    say(assistant({ type: 'tool_use', id: 't', name: 'Write', input: { content: '🙂'.repeat(20000), path: 'a' } }));
    say({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't', content: '漢'.repeat(50000) }] } });
    say(result);`);
  const [, said, used, answered] = segments;
  expect(said?.body).toBe(`assistant: ${'🙂'.repeat(500)}…`);
  expect(said?.extra).toEqual({ text: '🙂'.repeat(700) });
  for (const segment of [used, answered]) {
    expect([...(segment?.body ?? '')].length).toBeLessThan(530);
    expect(segment?.body).not.toMatch(/\p{Cs}/u);
    expect(JSON.stringify(segment?.extra)).not.toMatch(/\\ud[89ab]../);
    expect(Buffer.byteLength(JSON.stringify(segment?.extra))).toBeLessThanOrEqual(16_000);
  }
  expect(used?.extra).toMatchObject({ tool_use: { name: 'Write', input: { path: 'a' } } });
  expect(answered?.extra).toMatchObject({ tool_result: { id: 't', isError: false } });
});

test('takes a message of 10 MB', async () => {
  const { segments, result } = await playing(`
    say(init);
    say({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't', content: 'x'.repeat(10_000_000) }] } });
    say(result);`);
  expect(segments[1]?.body).toHaveLength('tool_result: '.length + 501);
  expect(result.outcome).toBe('done');
});

test('shows a long text while it is written, in whole sentences, and each part once', async () => {
  const { bodies } = await playing(`
    const stream = (event) => say({ type: 'stream_event', parent_tool_use_id: null, event });
    const grow = (text) => stream({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    (async () => {
      say(init);
      stream({ type: 'message_start', message: { id: 'm1' } });
      stream({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
      grow('One. Tw');
      await wait(1_600);
      grow('o. Thr');
      await wait(1_600);
      grow('ee. Four');
      say(assistant({ type: 'text', text: 'One. Two. Three. Four.' }));
      stream({ type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } });
      grow('Quick. One.');
      say(assistant({ type: 'text', text: 'Quick. One.' }));
      say(result);
    })();`);
  expect(bodies).toEqual([
    '--- session start ---',
    'assistant: One. Two.',
    'assistant: Three.',
    'assistant: Four.',
    'assistant: Quick. One.',
    'result: Done.',
  ]);
});

test('gives nothing more to a full transcript, but still knows how it ended', async () => {
  const { bodies, result } = await playing(
    `say(init); for (let n = 0; n < 5; n++) say(assistant({ type: 'text', text: 'four' })); say(result);`,
    { onSegment: () => false },
  );
  expect(bodies).toEqual(['--- session start ---']);
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok', usage: { costUsd: 0.5 }, droppedBytes: 5 * 15 + 13 });
});
