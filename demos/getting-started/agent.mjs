// The scripted agent of this demo. It is a program like any agent: it gets a prompt on stdin, reads its Role, and acts through
// its own MCP endpoint. Where a language model would understand the Role, it follows the two rules it can find in the text.
import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const { HELIX_MCP_URL, HELIX_MCP_TOKEN, HELIX_WORKER_ID, HELIX_ATTEMPT } = process.env;

const prompt = await readAll(process.stdin);
const role = readFileSync('role.md', 'utf8');

const client = new Client({ name: 'scripted-agent', version: '1.0.0' });
const headers = { Authorization: `Bearer ${HELIX_MCP_TOKEN}` };
await client.connect(new StreamableHTTPClientTransport(new URL(HELIX_MCP_URL), { requestInit: { headers } }));
console.log('--- session start ---');

for (const trigger of triggersIn(prompt)) await answer(trigger);
await client.close();

async function answer(trigger) {
  if (trigger.kind === 'hire') {
    const stream = /When you are hired: `subscribe` to `(s-[^`]+)`/.exec(role)?.[1];
    if (stream) await use('subscribe', { streamId: stream });
    return;
  }
  const rule = /publish `([^`]*)` on `(s-[^`]+)`/.exec(role);
  if (!rule || (trigger.source_kind === 'ai' && !role.includes('whoever it comes from'))) {
    console.log('assistant: Nothing for me to do.');
    return;
  }
  if (trigger.body.startsWith('slowly') && HELIX_ATTEMPT === '1') {
    console.log('assistant: This one needs some thought …');
    await pause(60_000);
  }
  const [, text, streamId] = rule;
  const body = text.replace('{body}', trigger.body).replace('{BODY}', trigger.body.toUpperCase());
  await use('publish', { streamId, body });
}

/** Calls a tool and shows it in the transcript, as any agent does. */
async function use(name, input) {
  console.log(`tool_use ${name}: ${JSON.stringify(input)}`);
  const result = await client.callTool({ name, arguments: input });
  const text = result.content?.[0]?.text ?? '';
  console.log(`tool_result${result.isError ? '-error' : ''}: ${text}`);
  if (result.isError) process.exitCode = 1;
}

/** The trigger blocks of a prompt: `name: value` lines, and the body indented by four spaces. */
function triggersIn(text) {
  return [...text.matchAll(/=== Trigger ===\n([\s\S]*?)\n=== end trigger ===/g)].map(([, block]) => {
    const trigger = { worker: HELIX_WORKER_ID, body: '' };
    for (const line of block.split('\n')) {
      const field = /^([a-z_]+): (.*)$/.exec(line);
      if (field) trigger[field[1]] = field[2];
    }
    const body = /\nbody:\n((?: {4}.*\n?)*)/.exec(`\n${block}`)?.[1] ?? '';
    trigger.body = body.replace(/^ {4}/gm, '').replace(/\n$/, '');
    return trigger;
  });
}
