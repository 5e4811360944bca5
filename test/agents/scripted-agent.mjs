// A program that plays a Worker as the agent kind `command`: what to do, it asks at the URL it is started with.
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url] = process.argv.slice(2);
const prompt = await text(process.stdin);
const { HELIX_MCP_URL, HELIX_MCP_TOKEN } = process.env;
const client = new Client({ name: 'scripted-agent', version: '1.0.0' });
await client.connect(
  new StreamableHTTPClientTransport(new URL(HELIX_MCP_URL), {
    requestInit: { headers: { Authorization: `Bearer ${HELIX_MCP_TOKEN}` } },
  }),
);
const tools = (await client.listTools()).tools.map(({ name }) => name);
const results = [];
for (;;) {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ results, tools, prompt }) });
  const { say = [], use = [] } = await answer.json();
  for (const line of [say].flat()) console.log(`assistant: ${line}`);
  if (use.length === 0) break;
  for (const { name, input } of use) results.push(await call(name, input));
}
await client.close();

async function call(name, input) {
  console.log(`tool_use ${name}: ${JSON.stringify(input)}`);
  const result = await client.callTool({ name, arguments: input }).then(
    ({ content, isError = false }) => ({ text: content.map((block) => block.text).join('\n'), isError }),
    (error) => ({ text: error.message, isError: true }),
  );
  console.log(`${result.isError ? 'tool_result-error' : 'tool_result'}: ${result.text}`);
  return result;
}
