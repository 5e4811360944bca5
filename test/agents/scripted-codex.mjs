// A program that stands in for Codex: it reads Codex's configuration, prints what Codex prints, and asks what to do at the
// address where Codex would find its model.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [command] = process.argv.slice(2);
if (command === '--version') finish('codex-cli 0.169.0');
if (command === 'debug') finish('{"models":[]}');

const config = readFileSync(join(process.env.CODEX_HOME, 'config.toml'), 'utf8');
const setting = (name) => JSON.parse(new RegExp(`^${name} = (".*")$`, 'm').exec(config)[1]);
const said = await text(process.stdin);
const client = new Client({ name: 'scripted-codex', version: '1.0.0' });
const Authorization = `Bearer ${process.env[setting('bearer_token_env_var')]}`;
await client.connect(
  new StreamableHTTPClientTransport(new URL(setting('url')), { requestInit: { headers: { Authorization } } }),
);
const tools = (await client.listTools()).tools.map(({ name }) => name);
const prompt = [setting('developer_instructions'), said].join('\n');
print({ type: 'thread.started', thread_id: '00000000-0000-7000-8000-000000000000' });
print({ type: 'turn.started' });
const results = [];
let items = 0;
for (;;) {
  const answer = await fetch(setting('base_url'), { method: 'POST', body: JSON.stringify({ results, tools, prompt }) });
  const { say = [], use = [] } = await answer.json();
  for (const line of [say].flat()) complete({ type: 'agent_message', text: line });
  if (use.length === 0) break;
  for (const { name, input } of use) results.push(await call(name, input));
}
print({ type: 'turn.completed', usage: { input_tokens: 100, output_tokens: 20 } });
await client.close();

async function call(name, input) {
  const id = `item_${items++}`;
  const item = { id, type: 'mcp_tool_call', server: 'helix', tool: name, arguments: input };
  print({ type: 'item.started', item: { ...item, result: null, error: null, status: 'in_progress' } });
  const { content, isError = false } = await client
    .callTool({ name, arguments: input })
    .catch((error) => ({ content: [{ type: 'text', text: error.message }], isError: true }));
  const status = isError ? 'failed' : 'completed';
  print({ type: 'item.completed', item: { ...item, result: { content }, error: null, status } });
  return { text: content.map((block) => block.text).join('\n'), isError };
}

function complete(item) {
  print({ type: 'item.completed', item: { id: `item_${items++}`, ...item } });
}

function print(message) {
  console.log(JSON.stringify(message));
}

function finish(answer) {
  console.log(answer);
  process.exit(0);
}
