// What every agent owes the daemon and its Worker, whatever program it is. Run for `command` with the other tests, and for
// the real agents by `npm run test:agents`.
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, waitFor } from '../support/daemon.ts';
import type { ContractAgent } from './contract-agents.ts';
import { type Script, steps, type Turn } from './script.ts';
import { agentStage, environmentOf, isAlive } from './stage.ts';

/** Ends the run of the hire, which is the first of each Worker, and goes on with the script. */
const afterHire =
  (script: Script): Script =>
  (turn) =>
    turn.prompt.includes('kind: hire') ? { say: 'I am set up.' } : script(turn);

/** Tokens, which are long, are not what a reader of a failed test wants to see. */
const namesIn = (environment: Record<string, string>) => Object.keys(environment).sort();

export function describeContract(agent: ContractAgent): void {
  const { kind, toolName } = agent;
  const open = (script: Script, settings?: Record<string, unknown>) => agentStage(agent, afterHire(script), settings);

  describe(`the agent ${kind}`, () => {
    test('lists the tools of its Worker after a webhook, publishes, and the Event is on the Stream', async () => {
      const turns: Turn[] = [];
      const stage = await open((turn) => {
        turns.push(turn);
        return steps({ name: 'publish', input: { streamId: 's-out', body: 'I heard: hello' } })(turn);
      });
      await stage.call('create_stream', { id: 's-out', name: 'out' });
      await stage.hire('w-ann', { grants: ['publish', 'read_events'] });
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'done', exit: 'ok', published: 1, attempt: 1 });
      expect(stage.bodies('s-out')).toEqual(['I heard: hello']);
      expect(turns[0]?.tools.filter((name) => /^[a-z_]+$/.test(name)).sort()).toEqual(['publish', 'read_events']);
      expect(turns[0]?.prompt).toContain('    hello');
      const [event] = stage.daemon.queries.events(['s-out'], { limit: 1 });
      expect(event?.source).toBe('w-ann');
    });

    test('A114: has an environment of its own and its Worker’s folder, and nothing of the daemon’s', async () => {
      for (const name of ['HELIX_CONTRACT_SECRET', 'CLAUDE_CODE_CONTRACT', 'CLAUDECODE', 'AWS_SECRET_ACCESS_KEY']) {
        process.env[name] = 'the daemon’s';
        onTestFinished(() => {
          delete process.env[name];
        });
      }
      const stage = await open(() => 'hang');
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      const { pid } = await stage.process('w-ann');
      const environment = environmentOf(pid);
      expect(Object.values(environment)).not.toContain('the daemon’s');
      expect(namesIn(environment)).toEqual(
        expect.arrayContaining([
          'PATH',
          'HOME',
          'HELIX_MCP_URL',
          'HELIX_MCP_TOKEN',
          'HELIX_ACTIVATION_ID',
          'HELIX_ATTEMPT',
        ]),
      );
      const [, run] = stage.activations('w-ann');
      expect(environment).toMatchObject({
        HOME: `${stage.folder('w-ann')}/.home`,
        HELIX_WORKER_ID: 'w-ann',
        HELIX_ACTIVATION_ID: run?.id,
        HELIX_ATTEMPT: '1',
        HELIX_MCP_URL: `${stage.daemon.url}/workers/w-ann/mcp`,
      });
      // The owner's token is nowhere in it.
      expect(Object.values(environment)).not.toContain(stage.daemon.ownerToken);
      await stage.call('interrupt_worker', { workerId: 'w-ann' });
    });

    test('is offered the tools its Worker holds and no others, and is refused one that was taken away meanwhile', async () => {
      let revoke = async () => {};
      const stage = await open(async (turn) => {
        if (turn.results.length === 1) await revoke();
        return steps(
          { name: 'list_roles', input: {} },
          { name: 'publish', input: { streamId: 's-in', body: 'too late' } },
          { name: 'create_role', input: { id: 'r-mine', content: '# Role' } },
        )(turn);
      });
      await stage.hire('w-ann', { grants: ['publish', 'list_roles'] });
      await stage.ended('w-ann', 0);
      revoke = async () => {
        const grant = stage.daemon.queries.grantsOf('w-ann').find(({ tool }) => tool === 'publish');
        await stage.call('revoke_tool', { grantId: grant?.id });
      };
      await stage.post('hello');
      expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'done', published: 0, changed: 0 });
      expect(stage.bodies('s-in')).toEqual(['hello']);
      expect(stage.daemon.queries.role('r-mine')).toBeUndefined();
      const results = stage.transcript('w-ann').filter((body) => body.startsWith('tool_result'));
      expect(results.map((body) => body.split(':')[0])).toEqual([
        'tool_result',
        'tool_result-error',
        'tool_result-error',
      ]);
    });

    test('has a token that is dead when the run has ended', async () => {
      const stage = await open(() => 'hang');
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      const { pid } = await stage.process('w-ann');
      const token = environmentOf(pid).HELIX_MCP_TOKEN ?? '';
      const caller = await connect(stage.daemon.url, 'w-ann', token);
      expect(await caller.tools()).toEqual(['publish']);
      await stage.call('interrupt_worker', { workerId: 'w-ann' });
      await stage.ended('w-ann', 1);
      await expect(connect(stage.daemon.url, 'w-ann', token)).rejects.toThrow(/401|credential|token/i);
    });

    test('A122 A125: leaves a transcript that is complete and in order, each line by the Worker', async () => {
      const posts = Array.from({ length: 12 }, (_, n) => ({
        name: 'publish',
        input: { streamId: 's-out', body: `note ${n}` },
      }));
      const stage = await open(steps(...posts));
      await stage.call('create_stream', { id: 's-out', name: 'out' });
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      await stage.ended('w-ann', 1);
      expect(stage.bodies('s-out')).toEqual(posts.map(({ input }) => input.body));
      const all = stage.lines('w-ann');
      const from = all.findIndex(({ body }) => body.startsWith('=== activation: event '));
      const lines = all.slice(from);
      for (const { source, message } of lines) expect([source, message?.from]).toEqual(['w-ann', 'w-ann']);
      const said = lines.map(({ body }) => body).filter((body) => /^(===|assistant|tool_)/.test(body));
      expect(said).toEqual([
        expect.stringMatching(/^=== activation: event e-\S+ on s-in from \S* ===$/),
        ...posts.flatMap(({ input }) => [
          'assistant: I use publish.',
          `tool_use ${toolName('publish')}: ${JSON.stringify(input)}`,
          expect.stringMatching(/^tool_result: \{"id":"e-/),
        ]),
        expect.stringMatching(/^assistant: Done\. \{"id":"e-/),
        '=== exit: ok ===',
      ]);
    });

    test('A125: wakes who waits for its lines while it still runs', async () => {
      const stage = await open(({ results }) =>
        results.length === 0 ? steps({ name: 'list_roles', input: {} })({ results, tools: [], prompt: '' }) : 'hang',
      );
      await stage.hire('w-ann', { grants: ['list_roles'] });
      await stage.ended('w-ann', 0);
      const since = stage.lines('w-ann').at(-1)?.id;
      await stage.post('hello');
      await waitFor('a tool was used', async () => {
        const { events } = (await stage.call('worker_log', { workerId: 'w-ann', since, wait: 10 })) as {
          events: { body: string }[];
        };
        return events.some(({ body }) => body.startsWith('tool_result: '));
      });
      expect(stage.activations('w-ann').at(-1)?.state).toBe('running');
      await stage.call('interrupt_worker', { workerId: 'w-ann' });
    });

    test('is stopped at once with all its processes when somebody interrupts it, and its batch waits for a person', async () => {
      const stage = await open(() => 'hang');
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      const { pid } = await stage.process('w-ann');
      await stage.call('interrupt_worker', { workerId: 'w-ann' });
      expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'interrupted', exit: 'interrupted: person' });
      expect(isAlive(pid)).toBe(false);
      expect(stage.transcript('w-ann').at(-1)).toBe('=== exit: interrupted: person ===');
      expect(stage.daemon.queries.setAside('parked', 10)).toHaveLength(1);
    });

    test('is stopped when its time is over', async () => {
      const stage = await open(() => 'hang', { 'dispatch.run_seconds': 3 });
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      const { pid } = await stage.process('w-ann');
      expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'timed_out', exit: 'time limit of 3 s' });
      expect(isAlive(pid)).toBe(false);
    });

    test('cannot fill the transcript: a flood is cut, and how it ended is still known', async () => {
      const text = 'An answer that is far too long, for no reason at all. '.repeat(300);
      const stage = await open(({ results }) =>
        results.length < 5
          ? { say: Array.from({ length: 80 }, (_, n) => `${n} ${text}`), use: [{ name: 'list_roles', input: {} }] }
          : { say: 'Done.' },
      );
      await stage.hire('w-ann', { grants: ['list_roles'] });
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'done', exit: 'ok' });
      const rows = stage
        .lines('w-ann')
        .map(({ body, message }) => body.length + JSON.stringify(message?.extra ?? '').length);
      expect(rows.reduce((a, b) => a + b)).toBeLessThan(5.5 * 2 ** 20);
      expect(stage.transcript('w-ann').slice(-2)).toEqual([
        expect.stringMatching(/^\[the transcript is full: it holds at most 5 MiB; \d+ more bytes came\]$/),
        '=== exit: ok ===',
      ]);
    });

    test('A123: that is killed by somebody has failed, and its triggers are parked when no attempt is left', async () => {
      const stage = await open(() => 'hang');
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      const { pid } = await stage.process('w-ann');
      await waitFor('it is at work', () => stage.transcript('w-ann').length > 0);
      process.kill(pid, 'SIGKILL');
      expect(await stage.ended('w-ann', 1)).toMatchObject({
        state: 'failed',
        exit: expect.stringMatching(/^signal SIGKILL/),
      });
      expect(stage.daemon.queries.setAside('parked', 10)).toHaveLength(1);
      expect(stage.notices()[0]).toBe('w-ann could not deal with a trigger');
    });

    test('A127: gets a trigger of 1 MB whole, in every script there is', async () => {
      const body = `begin ${'é漢🙂𝔘 مرحبا नमस्ते '.repeat(23_000)} end`;
      expect(Buffer.byteLength(body)).toBeGreaterThan(1_000_000);
      const prompts: string[] = [];
      const stage = await open(
        (turn) => {
          prompts.push(turn.prompt);
          return steps({
            name: 'publish',
            input: { streamId: 's-out', body: `${body.slice(0, 600)}… 👩‍👩‍👧‍👦 \u0000\u2028"` },
          })(turn);
        },
        { 'dispatch.batch_bytes': 2_000_000 },
      );
      await stage.call('create_stream', { id: 's-out', name: 'out' });
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post(body);
      expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'done' });
      expect(prompts[0]?.includes(`    ${body}`)).toBe(true);
      expect(stage.bodies('s-out')).toEqual([`${body.slice(0, 600)}… 👩‍👩‍👧‍👦 \u0000\u2028"`]);
      const used = stage.transcript('w-ann').find((line) => line.startsWith('tool_use'));
      expect([...(used ?? '')].length).toBeLessThan(600);
      expect(used).not.toMatch(/\p{Cs}/u);
      expect(used?.endsWith('…')).toBe(true);
    });

    test('A128: is gone when the daemon has stopped', async () => {
      const stage = await open(() => 'hang');
      await stage.hire('w-ann');
      await stage.ended('w-ann', 0);
      await stage.post('hello');
      const { pid } = await stage.process('w-ann');
      const stopped = stage.daemon.stop();
      await Promise.race([stopped, pause(10_000)]);
      expect(isAlive(pid)).toBe(false);
      await stopped;
    });
  });
}
