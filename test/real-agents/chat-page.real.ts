// The chat page with the real Claude Code and a model that does what a message orders.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { startDaemon } from '../../src/cli/daemon.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { CLAUDE_BIN } from '../agents/contract-agents.ts';
import { person, signedIn } from '../support/chat-person.ts';
import { isAlive, spawnDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';
import { type ModelReply, type ModelRequest, startScriptedAnthropic } from '../support/scripted-anthropic.ts';

type Order = { name: string; input: object };

const DRAFT = { name: 'create_role', input: { id: 'r-cto', content: '# Role: CTO\n\nDecides on technology.' } };

/** `DO [orders]` are carried out one by one, `HALF text` is said and waits, `/role` is drafted and saved; an echo answers. */
function model(gate: () => Promise<unknown>) {
  return ({ said, results, system }: ModelRequest): ModelReply => {
    const use = ({ name, input }: Order): ModelReply => ({
      say: `I use ${name}.`,
      use: [{ name: `mcp__helix__${name}`, input }],
    });
    if (!system.includes('You talk with a person')) {
      const heard = /^ {4}ping$/m.test(said.join('\n'));
      return heard && results.length === 0
        ? use({ name: 'dm', input: { toWorkerId: 'w-owner', body: 'echo: ping' } })
        : { say: 'Done.' };
    }
    const orders = said.flatMap((text): Order[] => {
      if (text.includes('The job is: "cto"')) return [DRAFT];
      const given = /^DO (\[.*\])$/m.exec(text)?.[1];
      return given === undefined ? [] : (JSON.parse(given) as Order[]);
    });
    const order = orders[results.length];
    if (order) return use(order);
    const half = /^HALF (.*)$/m.exec(said.at(-1) ?? '')?.[1];
    if (half !== undefined) return { say: half, hold: gate() };
    return { say: `Done with ${said.filter((text) => /^(DO|HALF|SAY)/m.test(text)).length} messages.` };
  };
}

async function stage(dir = temporaryDirectory()) {
  const gates: (() => void)[] = [];
  const scripted = await startScriptedAnthropic(model(() => new Promise<void>((resolve) => gates.push(resolve))));
  onTestFinished(scripted.close);
  const begin = async () => {
    const daemon = await startDaemon({
      paths: dataPaths({ dataDir: dir }, {}),
      address: { host: '127.0.0.1', port: 0 },
      durability: 'normal',
      settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN },
    });
    onTestFinished(() => daemon.stop());
    await daemon.recovered;
    daemon.settings.setSecret(
      'login.claude',
      JSON.stringify({ ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: scripted.url }),
    );
    return { daemon, ...person(daemon) };
  };
  return {
    begin,
    goOn: () => gates.splice(0).forEach((open) => void open()),
    requests: () => scripted.requests,
    url: scripted.url,
  };
}

/** The one process of the chat's agent. */
function agentOf(daemon = process.pid): number {
  const found = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('claude-chat') &&
        readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${daemon}\n`)
      );
    } catch {
      return false;
    }
  });
  expect(found).toHaveLength(1);
  return Number(found[0]);
}

const dont = (html: string) => expect(html).not.toContain('role="alert"');

test('an echo is hired by chat alone, and its answer is shown; what was done says so', async () => {
  const { begin } = await stage();
  const { daemon, say, until } = await begin();
  const html = await say(
    `DO ${JSON.stringify([
      { name: 'create_role', input: { id: 'r-echo', content: '# Role: Echo\n\nSay back what you hear.' } },
      { name: 'create_position', input: { id: 'p-echo', roleId: 'r-echo', parentId: 'p-root' } },
      {
        name: 'hire_worker',
        input: {
          id: 'w-echo',
          positionId: 'p-echo',
          kind: 'ai',
          identityContent: 'Echo.',
          grants: [{ toolName: 'dm' }],
        },
      },
    ])}`,
  );
  dont(html);
  expect(html).toContain('hire_worker');
  await say('DO [{"name":"dm","input":{"toWorkerId":"w-echo","body":"ping"}}]');
  await until('echo: ping');
  const facts = daemon.queries
    .entriesAfter(0, 1_000)
    .filter(({ event }) => event.type === 'WorkerHired' || event.type === 'EventPublished');
  expect(facts.filter(({ actor }) => actor === 'w-owner').map(({ via, hops }) => ({ via, hops }))).toEqual([
    { via: 'chat', hops: 0 },
    { via: 'chat', hops: 0 },
  ]);
});

test('/role cto drafts a Role and saves it', async () => {
  const { begin } = await stage();
  const { daemon, say } = await begin();
  const html = await say('/role cto');
  dont(html);
  expect(html).toContain('<p class="bubble">/role cto</p>');
  expect(daemon.queries.role('r-cto')?.content).toContain('# Role: CTO');
});

test('stopped in the middle of an answer, it stays and goes on', async () => {
  const { begin, requests } = await stage();
  const { start, until, post, say } = await begin();
  await start('HALF a word of it');
  await until('said growing');
  const pid = agentOf();
  await post('/ui/chat/stop', {});
  await until('Stopped');
  const html = await say('SAY more');
  dont(html);
  expect(html).toContain('a word of it');
  expect(requests().at(-1)?.said.join(' ')).toContain('HALF a word of it');
  expect(agentOf()).toBe(pid);
});

test('killed in the middle of an answer, it goes on in the same session', async () => {
  const { begin, requests } = await stage();
  const { start, until, say } = await begin();
  await say('SAY one');
  await start('HALF two');
  await until('said growing');
  process.kill(agentOf(), 'SIGKILL');
  await until('The agent ended in the middle');
  const html = await say('SAY three');
  expect(html).toContain('<p>two</p>');
  expect(requests().at(-1)?.said.join(' ')).toContain('SAY one');
});

test('the daemon restarted in the middle of an answer: nothing is lost, nothing is left, and the session goes on', async () => {
  const { begin, requests } = await stage();
  const first = await begin();
  await first.say('SAY one');
  await first.start('HALF two');
  await first.until('said growing');
  const pid = agentOf();
  const page = await first.live();
  await first.daemon.stop();
  await waitFor('the page’s connection has ended', () => page.ended);
  expect(() => process.kill(pid, 0)).toThrow();
  const second = await begin();
  expect(await second.log()).toContain('<p>two</p>');
  expect(await second.log()).toContain('Cut off');
  await second.say('SAY three');
  expect(requests().at(-1)?.said.join(' ')).toMatch(/SAY one[\s\S]*HALF two[\s\S]*SAY three/);
});

test('the daemon killed in the middle of an answer: its agent is ended, what was said is there, and the session goes on', async () => {
  const dir = temporaryDirectory();
  const { begin, requests, url } = await stage(dir);
  const killed = await spawnDaemon({
    dir,
    settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN },
    env: { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: url },
  });
  const before = await signedIn(killed);
  await before.say('SAY one');
  await before.start('HALF two');
  await before.until('said growing');
  const pid = agentOf(killed.pid);
  await killed.kill('SIGKILL');
  const next = await begin();
  await waitFor('its agent has ended', () => !isAlive(pid));
  expect(await next.log()).toContain('HALF two');
  expect(await next.log()).toContain('Cut off');
  dont(await next.say('SAY three'));
  expect(requests().at(-1)?.said.join(' ')).toMatch(/SAY one[\s\S]*HALF two[\s\S]*SAY three/);
});

test('two tabs are in step', async () => {
  const { begin, goOn } = await stage();
  const { daemon, start, live } = await begin();
  const tabs = [await live(), await person(daemon).live()];
  await start('HALF in both');
  for (const tab of tabs)
    await waitFor('it is shown', () => /bubble">HALF in both[\s\S]*growing[\s\S]*in both/.test(tab.text));
  goOn();
  for (const tab of tabs) await waitFor('its end is shown', () => tab.text.includes('turn-note'));
});
