// The program that test/support/chat-claude.ts describes.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns where the program is */
export function writeChatClaude(folder: string, version = '2.1.329', model = 'claude-test-5'): string {
  for (const name of ['starts', 'told', 'gates']) writeFileSync(join(folder, name), '');
  const bin = join(folder, 'claude');
  const named = { FOLDER: folder, VERSION: version, MODEL: model };
  const program = Object.entries(named).reduce(
    (text, [name, value]) => text.replaceAll(name, JSON.stringify(value)),
    PROGRAM,
  );
  writeFileSync(bin, `#!${process.execPath}\n${program}`);
  chmodSync(bin, 0o755);
  return bin;
}

const PROGRAM = `
const fs = require('node:fs');
const { randomUUID } = require('node:crypto');
const folder = FOLDER;
if (process.argv[2] === '--version') { console.log(VERSION + ' (Claude Code)'); process.exit(0); }
const argv = process.argv.slice(2);
fs.appendFileSync(folder + '/starts', JSON.stringify({ argv, env: process.env, pid: process.pid, cwd: process.cwd() }) + '\\n');
const resumed = argv.includes('--resume') ? argv[argv.indexOf('--resume') + 1] : undefined;
const store = (id) => folder + '/session-' + id;
if (resumed && !fs.existsSync(store(resumed))) { console.error('No conversation found with session ID: ' + resumed); process.exit(1); }
const session_id = resumed ?? randomUUID();
fs.appendFileSync(store(session_id), '');
const say = (message) => process.stdout.write(JSON.stringify({ session_id, parent_tool_use_id: null, ...message }) + '\\n');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let cost = 0, ids = 0, interrupted = false, isBusy = false;
const event = (event) => say({ type: 'stream_event', event });
const begin = () => event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
const piece = (text) => event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const whole = (...content) => say({ type: 'assistant', message: { id: 'm' + ++ids, model: MODEL, role: 'assistant', content } });
const end = (more = {}) => { cost += 0.25; say({ type: 'result', subtype: 'success', is_error: false, result: '', total_cost_usd: cost, ...more }); };
async function speak(text, slow) {
  begin();
  const parts = slow ? text.match(/\\S+\\s*/g) : [text];
  for (const part of parts) { if (interrupted) return; piece(part); if (slow) await pause(30); }
  whole({ type: 'text', text });
}
async function rpc(method, params) {
  const mcp = JSON.parse(fs.readFileSync(argv[argv.indexOf('--mcp-config') + 1], 'utf8')).mcpServers.helix;
  const response = await fetch(mcp.url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: 'Bearer ' + process.env.HELIX_MCP_TOKEN }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  const text = await response.text();
  return JSON.parse(text.startsWith('{') ? text : /^data: (.*)$/m.exec(text)[1]);
}
async function answer(text) {
  const [, verb, rest = ''] = /^(\\w+) ?([\\s\\S]*)$/.exec(text) ?? [];
  switch (verb) {
    case 'say': await speak(rest); return end();
    case 'slow': await speak(rest, true); break;
    case 'wait': {
      const gates = fs.statSync(folder + '/gates').size;
      begin(); piece(rest);
      while (fs.statSync(folder + '/gates').size === gates) { if (interrupted) break; await pause(10); }
      if (interrupted) break;
      piece(' went on'); whole({ type: 'text', text: rest + ' went on' });
      return end();
    }
    case 'deaf': begin(); piece('half'); await new Promise(() => setInterval(() => {}, 1e6)); return;
    case 'call': {
      const [, name, json] = /^(\\S+) ([\\s\\S]*)$/.exec(rest);
      const id = 'toolu_' + ++ids;
      whole({ type: 'tool_use', id, name: 'mcp__helix__' + name, input: JSON.parse(json) });
      const { result, error } = await rpc('tools/call', { name, arguments: JSON.parse(json) });
      const content = error ? error.message : result.content[0].text;
      say({ type: 'user', message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, is_error: Boolean(error || result.isError), content }] } });
      await speak('I did it.'); return end();
    }
    case 'error': {
      const said = { authentication_failed: 'Invalid API key', rate_limit: 'You have hit your limit', overloaded: 'Overloaded' }[rest];
      say({ type: 'assistant', error: rest, message: { model: '<synthetic>', content: [{ type: 'text', text: said }] } });
      return end({ is_error: true, result: said });
    }
    case 'die': begin(); piece('half of '); await pause(20); process.stderr.write('out of luck\\n', () => process.exit(3)); return new Promise(() => {});
    default: await speak('You said: ' + text); return end();
  }
  end(interrupted ? { subtype: 'error_during_execution', is_error: true } : {});
}
const queue = [];
async function work() {
  if (isBusy) return;
  isBusy = true;
  for (let text; (text = queue.shift()) !== undefined; ) {
    interrupted = false;
    fs.appendFileSync(folder + '/told', JSON.stringify(text) + '\\n');
    say({ type: 'system', subtype: 'init', model: 'sonnet', mcp_servers: [{ name: 'helix', status: 'connected' }] });
    await answer(text);
  }
  isBusy = false;
}
let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  rest += chunk;
  for (let at; (at = rest.indexOf('\\n')) >= 0; rest = rest.slice(at + 1)) {
    const message = JSON.parse(rest.slice(0, at));
    if (message.type === 'control_request') interrupted = true;
    else { queue.push(message.message.content[0].text); void work(); }
  }
}).on('end', () => process.exit(0));
`;
