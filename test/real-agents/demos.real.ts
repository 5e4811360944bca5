// Demos played by the real Claude Code. Its model follows the same scripts of the Roles as the scripted agents do; everything
// between the model and the organisation is real, so also what Claude Code lets a Worker do.
import { expect, onTestFinished, test } from 'vitest';
import { scriptOf, triggersIn } from '../../demos/triggers.mjs';
import { CLAUDE_BIN, claudeReply } from '../agents/contract-agents.ts';
import type { Act, Script, Turn } from '../agents/script.ts';
import { commandsOf, eventsIn, runDemo, runsOf, transcriptOf } from '../demos/run-demo.ts';
import { startScriptedAnthropic } from '../support/scripted-anthropic.ts';

type Trigger = { kind?: string; body: string; source_kind?: string; [field: string]: string | undefined };
type Use = { name: string; input: object };
type Played = (trigger: Trigger, worker: object) => unknown;

const roleIn = (prompt: string) => /=== Your Role \([^)]*\) ===\n([\s\S]*?)\n=== end role ===/.exec(prompt)?.[1] ?? '';

/** The script of a Role, played again from its beginning at each turn: what was used already has its result. */
class NextUse extends Error {
  readonly next: Use;
  constructor(next: Use) {
    super('not used yet');
    this.next = next;
  }
}

async function turnOf(act: Played, { prompt, results }: Turn): Promise<Act> {
  let used = 0;
  const result = (name: string, input: object) => {
    const known = results[used];
    used += 1;
    if (!known) throw new NextUse({ name, input });
    if (known.isError) throw new Error(`${name}: ${known.text}`);
    return known.text;
  };
  const worker = {
    role: roleIn(prompt),
    say: () => {},
    use: async (name: string, input: object) => JSON.parse(result(name, input)),
    run: (program: string, args: string[]) => result('Bash', { command: [program, ...args].map(quoted).join(' ') }),
  };
  try {
    for (const trigger of triggersIn(prompt) as Trigger[]) await act(trigger, worker);
  } catch (error) {
    if (!(error instanceof NextUse)) throw error;
    return { say: `I use ${error.next.name}.`, use: [error.next] };
  }
  return { say: 'Done.' };
}

const quoted = (word: string) => (/^[\w./:=@#-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

const roleScripts =
  (demo: string): Script =>
  async (turn) => {
    const file = new URL(`../../demos/${demo}/agents/${scriptOf(roleIn(turn.prompt))}.mjs`, import.meta.url);
    const { act } = (await import(file.href)) as { act: Played };
    return turnOf(act, turn);
  };

async function play(demo: string, script: Script) {
  const troubles: string[] = [];
  const model = await startScriptedAnthropic((request) =>
    claudeReply(async (turn) => {
      try {
        return await script(turn);
      } catch (error) {
        troubles.push(String(error));
        return { say: String(error) };
      }
    }, request),
  );
  onTestFinished(model.close);
  const login = { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: model.url, HELIX_ORG_CLAUDE_BIN: CLAUDE_BIN };
  const environment = { ...process.env, ...login };
  const ended = await runDemo([demo, '--agent', 'claude', '--patience', '120'], environment);
  expect(ended.code, `${ended.output}\n${troubles.join('\n')}`).toBe(0);
  expect(troubles).toEqual([]);
  return ended;
}

/** What demos/getting-started/agent.mjs does; a run that is to be cut off waits in its model. */
const echo: Script = ({ prompt, results }) => {
  const role = roleIn(prompt);
  const uses = (triggersIn(prompt) as Trigger[]).flatMap(({ kind, body, source_kind: from }): Use[] => {
    if (kind === 'hire')
      return [{ name: 'subscribe', input: { streamId: /`subscribe` to `(s-\w+)`/.exec(role)?.[1] } }];
    const [, text = '', streamId] = /publish `([^`]*)` on `(s-\w+)`/.exec(role) ?? [];
    if (from === 'ai' && !role.includes('whoever it comes from')) return [];
    return [
      {
        name: 'publish',
        input: { streamId, body: text.replace('{body}', body).replace('{BODY}', body.toUpperCase()) },
      },
    ];
  });
  if (prompt.includes('    slowly: ') && !/^attempt \d+: /m.test(prompt)) return 'hang';
  const next = uses[results.length];
  return next ? { say: `I use ${next.name}.`, use: [next] } : { say: 'Done.' };
};

test('A197: getting-started with Claude Code', { timeout: 600_000 }, async () => {
  const { output, dataDir } = await play('getting-started', echo);
  const said = eventsIn(dataDir, 's-general').flatMap(({ actor, message }) =>
    actor === 'w-echo' ? [message.body] : [],
  );
  expect(said).toEqual([
    'echo: hello',
    'echo: order 17 has arrived',
    'loud: HELLO',
    'loud: SLOWLY: ARE YOU STILL THERE?',
    'loud: POSTED JUST BEFORE THE CRASH',
  ]);
  expect(output).toContain('0 problems');
  expect(transcriptOf(dataDir, 'w-echo')).toContain('=== exit: ok ===');
});

test('A200: email with Claude Code', { timeout: 600_000 }, async () => {
  const { dataDir } = await play('email', roleScripts('email'));
  const mails = eventsIn(dataDir).filter(({ stream }) => stream === 's-support' || stream === 's-engineer');
  expect(mails).toHaveLength(6);
  expect(new Set(mails.map(({ message }) => message.thread_id ?? message.message_id)).size).toBe(1);
  expect([runsOf(dataDir, 'w-sam'), runsOf(dataDir, 'w-lee')]).toEqual([3, 2]);
});

test('A201: github with Claude Code, which runs gh in its shell', { timeout: 600_000 }, async () => {
  const { dataDir } = await play('github', roleScripts('github'));
  const calls = commandsOf(dataDir, 'w-doc-engineer');
  expect(calls.filter((call) => call.includes('issue edit 1 ') && call.includes('--add-label docs'))).toHaveLength(1);
  expect(calls.filter((call) => / 7 /.test(call))).toEqual([]);
});
