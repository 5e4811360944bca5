// Whether a Worker begins anew or goes on, with a program in Claude Code's place that says which session it is in.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentContext } from '../../src/dispatch/agent-context.ts';
import { encodeMessage, type Message } from '../../src/domain/message.ts';
import { emptyOrg, type StreamState } from '../../src/domain/org.ts';
import { createAgentSessions, pruneAgentSessions } from '../../src/store/agent-sessions.ts';
import type { Entry } from '../../src/store/entries.ts';
import type { ContractAgent } from './contract-agents.ts';
import { fakeClaude, seenIn } from './fake-claude.ts';
import { type AgentStage, agentStage } from './stage.ts';

/** Makes a session of a new name each time, as the real one does, and fails when it is told to. */
const BODY = `
  const session = 'session-' + Math.random().toString(36).slice(2);
  const directory = process.env.CLAUDE_CONFIG_DIR + '/projects/-here';
  if (!argv.includes('--no-session-persistence')) {
    fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(directory + '/' + session + '.jsonl', stdin);
  }
  fs.writeFileSync('session', session);
  say({ ...init, session_id: session });
  say({ ...result, session_id: session, is_error: stdin.includes('fail now') });`;

const fake: ContractAgent = {
  kind: 'claude',
  toolName: (tool) => tool,
  follow: async () => ({
    settings: { 'agent.kind': 'claude', 'claude.bin': fakeClaude(BODY), 'agent.context': 'resume' },
    login: { ANTHROPIC_API_KEY: 'dummy' },
    close: async () => {},
  }),
};

const sessionIn = (folder: string) => readFileSync(`${folder}/session`, 'utf8');
const resumedIn = (folder: string) => {
  const { argv } = seenIn(folder);
  return argv.includes('--resume') ? argv[argv.indexOf('--resume') + 1] : undefined;
};

async function hired(
  settings: Record<string, unknown> = {},
): Promise<AgentStage & { run(body: string): Promise<string | undefined> }> {
  const stage = await agentStage(fake, () => 'hang', settings);
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  let runs = 0;
  return {
    ...stage,
    /** Wakes the Worker; gives the session it went on in. */
    async run(body) {
      await stage.post(body);
      runs += 1;
      await stage.ended('w-ann', runs);
      return resumedIn(stage.folder('w-ann'));
    },
  };
}

test('begins anew each time unless it is asked to go on', async () => {
  const stage = await hired({ 'agent.context': 'fresh' });
  expect(await stage.run('one')).toBeUndefined();
  expect(seenIn(stage.folder('w-ann')).argv).toContain('--no-session-persistence');
  expect(await stage.run('two')).toBeUndefined();
});

test('goes on in one session, is told only what is new, and what is recorded is what it was told', async () => {
  const stage = await hired();
  const folder = stage.folder('w-ann');
  const first = sessionIn(folder);
  const [hire] = stage.activations('w-ann');
  expect(await stage.run('one')).toBe(first);
  const { stdin } = seenIn(folder);
  expect(stdin).toMatch(
    new RegExp(`^This goes on in your session that was left at \\S+Z \\(activation ${hire?.id}\\)`),
  );
  expect(stdin).toContain('New since then:\n\n=== Trigger ===\nstream: s-in');
  expect(stdin).not.toContain('=== Policy ===');
  const recorded = stage.daemon.queries.entry(stage.activations('w-ann')[1]?.seq ?? 0)?.content[0]?.bytes;
  expect(Buffer.from(recorded ?? '').toString()).toBe(stdin);
  const second = sessionIn(folder);
  expect(await stage.run('two')).toBe(second);
});

test.each([
  ['its Role', (stage: AgentStage) => stage.call('update_role', { roleId: 'r-ann', content: '# Role\n\nAnother.' })],
  ['who it is', (stage: AgentStage) => stage.call('update_identity', { workerId: 'w-ann', content: 'I am another.' })],
  [
    'its Position',
    (stage: AgentStage) => stage.call('move_worker', { workerId: 'w-ann', positions: ['p-ann', 'p-root'] }),
  ],
])('begins anew when %s has changed', async (_, change) => {
  const stage = await hired();
  await change(stage);
  expect(await stage.run('one')).toBeUndefined();
  expect(seenIn(stage.folder('w-ann')).stdin).toContain('=== Policy ===');
  expect(await stage.run('two')).toBeDefined();
});

test('goes on with other tools, and is told so', async () => {
  const stage = await hired();
  await stage.call('grant_tool', { workerId: 'w-ann', toolName: 'list_roles' });
  expect(await stage.run('one')).toBeDefined();
  expect(seenIn(stage.folder('w-ann')).stdin).toContain('Your tools have changed since');
});

test('a run that failed leaves the session before it; what is tried again begins anew', async () => {
  const stage = await hired();
  const good = sessionIn(stage.folder('w-ann'));
  await stage.run('fail now');
  expect(await stage.run('go on')).toBe(good);
  expect(seenIn(stage.folder('w-ann')).stdin).toContain('Since then you ran 1 more time outside of this session');
});

test('begins anew when the agent has lost the session', async () => {
  const stage = await hired();
  rmSync(`${stage.folder('w-ann')}/.home/.claude`, { recursive: true });
  expect(await stage.run('one')).toBeUndefined();
});

test('forgets the session, and its file, when an Event that it has seen is redacted', async () => {
  const stage = await hired();
  const folder = stage.folder('w-ann');
  await stage.run('the password is hunter2hunter2');
  const session = sessionIn(folder);
  const file = `${folder}/.home/.claude/projects/-here/${session}.jsonl`;
  expect(readFileSync(file, 'utf8')).toContain('hunter2hunter2');
  const [event] = stage.daemon.queries.events(['s-in'], { limit: 1 });
  await stage.call('redact_event', { id: event?.id, reason: 'a password' });
  expect(await stage.run('next')).toBeUndefined();
  expect(existsSync(file)).toBe(false);
});

test('keeps its session in the database', async () => {
  const stage = await hired();
  const session = sessionIn(stage.folder('w-ann'));
  expect(stage.daemon.db.sqlite.prepare('SELECT worker, session FROM agent_sessions').all()).toEqual([
    { worker: 'w-ann', session },
  ]);
});

test('goes on in one session for each conversation by mail, and in another for all else', async () => {
  const stage = await hired();
  const streams = new Map([['s-mail', { transport: { kind: 'email', config: {} } } as StreamState]]);
  const org = { ...emptyOrg(), streams };
  const texts = { folder: stage.folder('w-ann'), roles: [], identity: '' };
  const { queries, db } = stage.daemon;
  const agent = { kind: 'claude', canResume: async () => true };
  const conversation = async (streamId: string, message: Message) => {
    const content = [{ name: 'message', bytes: encodeMessage(message) }];
    const entry = {
      seq: 9,
      actor: '',
      event: { type: 'EventPublished', id: 'e-9', streamId, content },
      content,
    } as unknown as Entry;
    const batch = {
      workerId: 'w-ann',
      triggers: [entry],
      attempt: 1,
      rest: [],
      oneByOne: false,
      checkpoint: 0,
      again: new Map(),
    };
    const known = { agent, sessions: createAgentSessions(db), queries, org, policy: '' };
    return (await agentContext(known, { batch, texts, context: 'resume' })).kept?.conversation;
  };
  expect(await conversation('s-mail', { thread_id: '<a@x>', message_id: '<b@x>' })).toBe('s-mail <a@x>');
  expect(await conversation('s-mail', { message_id: '<b@x>' })).toBe('s-mail <b@x>');
  expect(await conversation('s-mail', {})).toBe('s-mail e-9');
  expect(await conversation('s-in', { thread_id: '<a@x>' })).toBe('');
});

test('sessions that were quiet for long, and those of Workers that were fired, are forgotten', async () => {
  const stage = await hired();
  const sessions = createAgentSessions(stage.daemon.db);
  expect(pruneAgentSessions(stage.daemon.db, new Date(0).toISOString())).toBe(0);
  expect(pruneAgentSessions(stage.daemon.db, new Date(Date.now() + 1_000).toISOString())).toBe(1);
  await stage.run('one');
  expect(sessions.namesOf('w-ann')).toHaveLength(1);
  await stage.call('fire_worker', { workerId: 'w-ann' });
  expect(pruneAgentSessions(stage.daemon.db, new Date(0).toISOString())).toBe(1);
});
