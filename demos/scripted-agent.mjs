// The scripted agent of the demos: a program like any agent. It gets a prompt on stdin and acts through its Worker's own MCP
// endpoint. Where a language model would follow the Role, it runs the script of that Role: `agents/NAME.mjs` of the demo for
// a Role that begins with `# Role: Name`. Such a script exports `act(trigger, worker)`, called for one trigger after the other.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { scriptOf, triggersIn } from './triggers.mjs';

const { HELIX_MCP_URL, HELIX_MCP_TOKEN, HELIX_WORKER_ID, HELIX_ATTEMPT } = process.env;
const [agents] = process.argv.slice(2);

const prompt = await readAll(process.stdin);
const role = readFileSync('role.md', 'utf8');

const client = new Client({ name: 'scripted-agent', version: '1.0.0' });
const headers = { Authorization: `Bearer ${HELIX_MCP_TOKEN}` };
await client.connect(new StreamableHTTPClientTransport(new URL(HELIX_MCP_URL), { requestInit: { headers } }));
console.log('--- session start ---');

const worker = {
  id: HELIX_WORKER_ID,
  attempt: Number(HELIX_ATTEMPT),
  role,
  identity: readFileSync('identity.md', 'utf8'),
  say: (text) => console.log(`assistant: ${text}`),
  pause,
  use,
  tryUse,
  run,
};

const { act } = await import(pathToFileURL(join(agents, `${scriptOf(role)}.mjs`)).href);
try {
  for (const trigger of triggersIn(prompt)) await act(trigger, worker);
} catch (error) {
  console.log(`assistant: I cannot go on: ${error.message}`);
  process.exitCode = 1;
}
await client.close();

/** Calls a tool and shows it in the transcript, as any agent does. @throws Error with the refusal */
async function use(tool, input) {
  const { result, refusal } = await tryUse(tool, input);
  if (refusal !== undefined) throw new Error(refusal);
  return result;
}

/** As `use`, but answers `{ result }` or `{ refusal }`. */
async function tryUse(tool, input) {
  console.log(`tool_use ${tool}: ${JSON.stringify(input)}`);
  const answer = await client.callTool({ name: tool, arguments: input });
  const text = answer.content?.[0]?.text ?? '';
  console.log(`tool_result${answer.isError ? '-error' : ''}: ${text.replaceAll('\n', ' ').slice(0, 2_000)}`);
  return answer.isError ? { refusal: text } : { result: JSON.parse(text || '{}') };
}

/** Runs a program in the Worker's folder, such as gh. @returns what it printed. @throws Error when it fails */
function run(program, args, options = {}) {
  console.log(`tool_use Bash: ${JSON.stringify({ command: [program, ...args].map(shown).join(' ') })}`);
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  console.log(
    `tool_result${status === 0 ? '' : '-error'}: ${(stdout || stderr).trim().replaceAll('\n', ' ').slice(0, 2_000)}`,
  );
  if (status !== 0) throw new Error(`${program} ${args[0] ?? ''} ended with ${status}: ${stderr.trim()}`);
  return stdout;
}

function shown(word) {
  return /^[\w./:=@#-]+$/.test(word) ? word : `'${word}'`;
}
