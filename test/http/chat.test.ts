// The chat as it is answered, with a program in the place of Claude Code.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { chatConfigDirectory } from '../../src/agents/claude-chat.ts';
import { chatClaude } from '../support/chat-claude.ts';
import { person, signedIn, withSession } from '../support/chat-person.ts';
import {
  isAlive,
  spawnDaemon,
  startTestDaemon,
  type TestDaemonOptions,
  temporaryDirectory,
  waitFor,
} from '../support/daemon.ts';

const NASTY = `</p><script>alert(1)</script><img src=x onerror=alert(2)>" onfocus="alert(3)" <b hx-get="/ui/org">x</b>`;

beforeEach(() => {
  const before = process.env.ANTHROPIC_API_KEY;
  process.env.ANTHROPIC_API_KEY = 'dummy';
  onTestFinished(() => {
    if (before === undefined) delete process.env.ANTHROPIC_API_KEY;
    else process.env.ANTHROPIC_API_KEY = before;
  });
});

async function stage(options: TestDaemonOptions = {}) {
  const claude = chatClaude();
  const daemon = await startTestDaemon({ ...options, settings: { 'claude.bin': claude.bin, ...options.settings } });
  return { claude, daemon, ...person(daemon) };
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

describe('what is said', () => {
  test('A172: /role cto reaches the model expanded, the bubble shows what was typed (UI bug 5)', async () => {
    const { claude, say } = await stage();
    const html = await say('/role cto');
    const [told = ''] = claude.told();
    expect(told).toContain('The job is: "cto"');
    expect(html).toContain('<p class="bubble">/role cto</p>');
    await say('/role hint="a chief of \\"ops\\""');
    expect(claude.told()[1]).toContain('a chief of \\"ops\\"');
  });

  test('A173: /nosuch x and plain text pass unchanged', async () => {
    const { claude, say } = await stage();
    await say('/nosuch x');
    await say('plain <text> & more');
    expect(claude.told()).toEqual(['/nosuch x', 'plain <text> & more']);
  });

  test('A174: /, /r and /RO offer what begins so, hello offers nothing; the offer fills in /role', async () => {
    const { get, daemon } = await stage();
    const offered = async (text: string, who = get) =>
      [...(await who(`/ui/chat/commands?text=${encodeURIComponent(text)}`)).html.matchAll(/data-fill="([^"]+)"/g)].map(
        ([, fill]) => fill,
      );
    expect(await offered('/')).toEqual(['/help ', '/role ']);
    expect(await offered('/r')).toEqual(['/role ']);
    expect(await offered('/RO')).toEqual(['/role ']);
    expect(await offered('hello')).toEqual([]);
    await daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, 'create_role', { id: 'r-x', content: '# X' });
    await daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, 'create_position', {
      id: 'p-x',
      roleId: 'r-x',
      parentId: 'p-root',
    });
    await daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, 'hire_worker', {
      id: 'w-x',
      positionId: 'p-x',
      kind: 'human',
      identityContent: 'X',
      grants: [],
    });
    expect(await offered('/', person(daemon, 'w-x').get)).toEqual(['/help ']);
  });

  test('A175: blank text answers 204, more than 64 KiB 4xx; neither starts an agent', async () => {
    const { post, claude } = await stage();
    expect((await post('/ui/chat/send', { text: ' \n ' })).status).toBe(204);
    const long = await post('/ui/chat/send', { text: 'é'.repeat(32_769) }, { 'hx-request': 'true' });
    expect(long.status).toBe(413);
    expect(await long.text()).toContain('at most 64 KiB');
    expect(claude.starts()).toEqual([]);
  });

  test('sending is answered at once, however long the answer takes (UI bug 7); another message meanwhile is refused', async () => {
    const { post, start, until, claude } = await stage();
    expect((await start('wait first')).status).toBe(303);
    await until('said growing');
    const second = await post('/ui/chat/send', { text: 'second' }, { 'hx-request': 'true' });
    expect([second.status, await second.text()]).toEqual([409, expect.stringContaining('still coming')]);
    claude.goOn();
    await until('first went on');
  });
});

describe('what comes', () => {
  test('A176: an answer is brought as it comes, once, and code keeps its lines (UI bugs 3 and 4)', async () => {
    const { live, say, log } = await stage();
    await say('say first');
    const seen = await live();
    await say('say Look:\n\n```js\nlet a = 1;\n\nlet b = 2;\n```\n');
    await waitFor('it was brought', () => seen.text.includes('let b = 2;'));
    const html = await log();
    expect(html).toContain('let a = 1;\n\nlet b = 2;');
    expect(html.split('let b = 2;')).toHaveLength(3); // In the answer, and in what was asked.
    expect(seen.text).toContain('hx-target="#chat-turn"');
  });

  test('A177: HTML and script of the model, of a tool and of a person are shown as text', async () => {
    const { say, get } = await stage();
    await say(`say ${NASTY}`);
    await say(`call get_role ${JSON.stringify({ roleId: NASTY })}`);
    const { html } = await get(`/ui/?q=${encodeURIComponent(NASTY)}`);
    expect(html).not.toMatch(/<script>alert|<img src=x|<b hx-get/);
    expect(html).toContain(escaped('<script>alert(1)</script>').slice(0, 20));
  });

  test('A178: calls show as chips with their results, failed ones marked', async () => {
    const { say } = await stage();
    const html = await say('call list_roles {}');
    expect(html).toMatch(/<details class="tool-chip" id="b-\d+"><summary>.*list_roles/s);
    expect(html).toContain('r-owner');
    const failed = await say('call get_role {"roleId":"r-nobody"}');
    expect(failed).toMatch(/<details class="tool-chip is-error"[^>]*><summary>.*Failed:.*get_role/s);
  });

  test('A181: the stream is kept alive, and an agent that died is started again by the next message, in its session', async () => {
    const { live, say, claude } = await stage({ keepAliveMs: 50 });
    const seen = await live();
    await waitFor('a comment comes', () => seen.text.includes(': keep-alive'));
    const html = await say('die');
    expect(html).toContain('half of');
    expect(html).toContain('The agent ended in the middle: out of luck');
    const [first] = claude.starts();
    expect(await say('say back')).toContain('back');
    const second = claude.starts()[1]!;
    expect(second.pid).not.toBe(first?.pid);
    expect(second.argv).toContain('--resume');
  });

  test.each([
    ['authentication_failed', 'Claude Code is not logged in: Invalid API key', 'helix-org login claude'],
    ['rate_limit', 'The usage limit is reached: You have hit your limit', 'Wait until it resets'],
    ['overloaded', 'service does not answer: Overloaded', 'again in a minute'],
  ])('%s is told as what it is, with the fix', async (error, sentence, fix) => {
    const { say } = await stage();
    const html = await say(`error ${error}`);
    expect(html).toContain('role="alert"');
    expect(html).toContain(sentence);
    expect(html).toContain(fix);
  });

  test('a binary that is missing, and a login that is missing, are told with the fix', async () => {
    const { say, daemon } = await stage({ settings: { 'claude.bin': '/nowhere/claude' } });
    const html = await say('hello');
    expect(html).toContain('&quot;/nowhere/claude&quot;: no such program.');
    expect(html).toContain('npm install -g @anthropic-ai/claude-code');
    await daemon.stop();
    delete process.env.ANTHROPIC_API_KEY;
    expect(await (await stage()).say('hello')).toContain('Claude Code is not logged in');
  });
});

describe('conversations', () => {
  test('A179: a reload shows what was said; a new chat is empty until something is said in it (UI bug 8)', async () => {
    const { say, post, get } = await stage();
    await say('say one');
    expect((await get('/ui/')).html).toContain('<p class="bubble">say one</p>');
    expect((await post('/ui/chat/new', {})).headers.get('location')).toBe('/ui/');
    const { html } = await get('/ui/');
    expect(html).not.toContain('class="bubble"');
    expect(html).toContain('What should happen?');
    await say('say two');
    expect(await (await get('/ui/')).html).not.toContain('<p class="bubble">say one</p>');
  });

  test('the newest turn is shown after however many lines, and those before by a link', async () => {
    const { say, get, daemon } = await stage();
    await say('say one');
    const conversation = daemon.db.sqlite.prepare('SELECT id FROM conversations').pluck().get() as string;
    const line = { worker: 'w-owner', activationId: conversation, at: new Date().toISOString(), isChat: true as const };
    const remarks = Array.from({ length: 5_000 }, (_, n) => ({
      ...line,
      body: `remark ${n}`,
      extra: { remark: `remark ${n}` },
    }));
    daemon.journal.transcribe(remarks);
    await daemon.journal.flush();
    const html = await say('say two');
    expect(html).toContain('<p>two</p>');
    const earlier = /href="(\/ui\/\?before=\d+)">Earlier</.exec(html)?.[1] ?? '';
    expect((await get(earlier)).html).toContain('<p>one</p>');
  });

  test('A180: a recent conversation is opened with its history, and its session goes on', async () => {
    const { say, post, get, log, claude } = await stage();
    await say('say one');
    await post('/ui/chat/new', {});
    await say('say two');
    const recent = /name="conversation" value="([^"]+)"><button class="recent"><span class="recent-title">say one/.exec(
      (await get('/ui/')).html,
    )?.[1];
    await post('/ui/chat/open', { conversation: recent ?? '' });
    expect(await log()).toContain('<p class="bubble">say one</p>');
    await say('say three');
    const [first, , third] = claude.starts();
    expect(first?.argv).not.toContain('--resume');
    expect(third?.argv[third.argv.indexOf('--resume') + 1]).toMatch(/^[0-9a-f-]{36}$/);
    expect((await get('/ui/?q=two')).html).toMatch(/recent-title">say two/);
  });

  test('A180: a session found on disk is offered, and what was said in it is kept', async () => {
    const { daemon, get, post, log } = await stage();
    const folder = join(daemon.paths.envsDir, 'w-owner');
    const project = join(chatConfigDirectory(folder), 'projects', folder.replace(/[^A-Za-z0-9]/g, '-'));
    mkdirSync(project, { recursive: true });
    const id = '11111111-2222-3333-4444-555555555555';
    const records = [
      'not JSON',
      { type: 'user', message: { content: `Hello ${NASTY}` }, timestamp: '2026-01-01T00:00:00.000Z' },
      { type: 'user', message: { content: '<command-name>/clear</command-name>' } },
      { type: 'assistant', message: { content: [{ type: 'text', text: 'Hi there.' }] } },
    ];
    writeFileSync(
      join(project, `${id}.jsonl`),
      records.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n'),
    );
    expect((await get('/ui/')).html).toContain('Begun elsewhere');
    await post('/ui/chat/adopt', { session: id });
    const html = await log();
    expect(html).toContain('Hi there.');
    expect(html).not.toMatch(/<script>|command-name/);
    expect((await get('/ui/')).html).not.toContain('Begun elsewhere');
  });

  test('A182: looking starts nothing, ?sid= and ids of others open nothing, the footer names the model that answered', async () => {
    const { get, post, claude, say, log } = await stage();
    for (const path of ['/ui/', '/ui/?sid=../../../etc/passwd', '/ui/chat/log', '/ui/chat/commands?text=/'])
      expect((await get(path)).status).toBe(200);
    expect(claude.starts()).toEqual([]);
    for (const session of ['../../owner-token', '/etc/passwd', '11111111-2222-3333-4444-555555555556'])
      expect((await post('/ui/chat/adopt', { session })).status).toBe(303);
    expect((await get('/ui/')).html).toContain('There is no such session');
    expect(await log()).not.toContain('class="bubble"');
    await say('say x');
    expect((await get('/ui/')).html).toMatch(/class="chat-model">claude-test-5 · \$0\.25 so far/);
  });

  test('nobody but its person and the owner reads a chat', async () => {
    const { daemon, say } = await stage();
    const call = (tool: string, args: object, workerId = 'w-owner') =>
      daemon.door.call({ workerId, via: 'mcp' }, tool, args);
    await call('create_role', { id: 'r-x', content: '# X' });
    for (const id of ['w-ann', 'w-bob']) {
      await call('create_position', { id: `p-${id}`, roleId: 'r-x', parentId: 'p-root' });
      await call('hire_worker', {
        id,
        positionId: `p-${id}`,
        kind: 'human',
        identityContent: 'X',
        grants: [{ toolName: 'list_stream_events' }],
      });
    }
    await say('say a secret of the owner');
    await person(daemon, 'w-ann').say('say a secret of Ann');
    const read = async (streamId: string, workerId: string) => {
      const outcome = await call('list_stream_events', { streamId }, workerId);
      return outcome.kind === 'ok' ? JSON.stringify(outcome.result) : 'refused';
    };
    expect(await read('s-chat-w-ann', 'w-ann')).toContain('secret of Ann');
    expect(await read('s-chat-w-ann', 'w-owner')).toContain('secret of Ann');
    expect(await read('s-chat-w-ann', 'w-bob')).toBe('refused');
    expect(await read('s-chat-w-owner', 'w-ann')).toBe('refused');
    // On the pages of Streams too, as lines and not as Events that nobody listened to.
    const { get } = person(daemon);
    expect((await get('/ui/streams')).html).toMatch(/Chats <span[^>]*>2<\/span>[\s\S]*w-ann/);
    const { html } = await get('/ui/streams?id=s-chat-w-ann');
    expect(html).toContain('secret of Ann');
    expect(html).not.toMatch(/nobody listened|0 Events|\/ui\/events\//);
    expect((await person(daemon, 'w-bob').get('/ui/streams?id=s-chat-w-ann')).html).toContain('There is no Stream');
    const eavesdropped = await person(daemon, 'w-bob').get('/ui/?q=secret');
    expect(eavesdropped.html).not.toContain('secret of');
  });
});

describe('what it does', () => {
  test('facts made in a chat say so, have no hops, and what they caused is shown with the answer', async () => {
    const { say, daemon, until, get } = await stage({
      async agent(run) {
        if (!run.prompt.includes('ping')) return;
        const { kind, ...why } = await daemon.door.call(
          { workerId: run.workerId, via: 'mcp', cause: causeOf(run.activationId) },
          'dm',
          {
            toWorkerId: 'w-owner',
            body: 'echo: ping',
          },
        );
        expect(kind, JSON.stringify(why)).toBe('ok');
      },
    });
    const causeOf = (activationId: string) => {
      const activation = daemon.queries.activation(activationId)!;
      return { causedBy: activation.triggers.at(-1)!, root: activation.root, hops: activation.hops + 1, activationId };
    };
    await say('call create_role {"id":"r-echo","content":"# Role: Echo"}');
    await say('call create_position {"id":"p-echo","roleId":"r-echo","parentId":"p-root"}');
    await say(
      'call hire_worker {"id":"w-echo","positionId":"p-echo","kind":"ai","identityContent":"Echo","grants":["dm"]}',
    );
    await daemon.dispatcher.idle();
    await say('call dm {"toWorkerId":"w-echo","body":"ping"}');
    await until('echo: ping');
    const html = (await get('/ui/chat/log', { 'hx-request': 'true' })).html;
    expect(html).toContain('You said on');
    expect(html).toMatch(/woke .*w-echo/);
    const made = daemon.queries
      .entriesAfter(0, 1_000)
      .filter(({ via, event }) => via === 'chat' && event.type === 'EventPublished');
    expect(made).toMatchObject([{ actor: 'w-owner', hops: 0, onBehalfOf: null }]);
  });
});

describe('what it survives', () => {
  test('stopped in the middle: what was said stays, the next message goes on in the same process', async () => {
    const { start, post, until, say, claude } = await stage();
    await start('wait half an answer');
    await until('said growing');
    expect((await post('/ui/chat/stop', {})).status).toBe(303);
    await until('Stopped');
    const html = await say('say more');
    expect(html).toContain('<p>half an answer</p>');
    expect(html).not.toContain('role="alert"');
    expect(claude.starts()).toHaveLength(1);
  });

  test('an agent that does not heed the stop is ended, and goes on by its session', async () => {
    const { start, post, until, say, claude } = await stage();
    await start('deaf');
    await until('said growing');
    await post('/ui/chat/stop', {});
    await until('Stopped');
    await say('say more');
    expect(claude.starts()).toHaveLength(2);
    expect(claude.starts()[1]?.argv).toContain('--resume');
  });

  test('an idle agent is ended, and the next message goes on in its session', async () => {
    let timers: { delayMs: number; callback: () => void }[] = [];
    const { say, claude } = await stage({
      settings: { 'chat.idle_seconds': 77 },
      after(delayMs, callback) {
        const timer = { delayMs, callback };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    });
    await say('say one');
    const idle = timers.filter(({ delayMs }) => delayMs === 77_000);
    expect(idle).toHaveLength(1);
    idle[0]?.callback();
    await say('say two');
    expect(claude.starts()).toHaveLength(2);
    const { argv } = claude.starts()[1]!;
    expect(argv).toContain('--resume');
    expect(argv.join(' ')).not.toContain('hxo_');
  });

  test('a daemon that stops in the middle: the page’s connection ends, and the next daemon goes on in the session', async () => {
    const dir = temporaryDirectory();
    const { start, until, live, daemon, claude } = await stage({ dir });
    await start('wait before the stop');
    await until('said growing');
    const seen = await live();
    await daemon.stop();
    await waitFor('the connection has ended', () => seen.ended);
    expect(() => process.kill(claude.starts()[0]!.pid, 0)).toThrow();
    const next = await startTestDaemon({ dir, settings: { 'claude.bin': claude.bin } });
    const after = person(next);
    expect(await after.log()).toContain('<p>before the stop</p>');
    expect(await after.log()).toContain('Cut off');
    await after.say('say after it');
    expect(claude.starts()[1]?.argv).toContain('--resume');
  });

  test('a daemon that is killed in the middle: what was said is kept, its agent is ended, and the session goes on (UI bug 9)', async () => {
    const dir = temporaryDirectory();
    const claude = chatClaude();
    const settings = { 'claude.bin': claude.bin };
    const killed = await spawnDaemon({ dir, settings });
    const { token, ...before } = await signedIn(killed);
    await before.say('say one');
    await before.start('wait before the end');
    await before.until('said growing');
    const kept = new Database(join(dir, 'org.db'), { readonly: true });
    onTestFinished(() => void kept.close());
    const unfinished = kept.prepare('SELECT unfinished FROM conversations').pluck();
    await waitFor('what was said is kept', () => unfinished.get() === 'before the end');
    await killed.kill('SIGKILL');
    const next = await startTestDaemon({ dir, settings });
    await waitFor('its agent has ended', () => !isAlive(claude.starts()[0]!.pid));
    // Their session is still good, and so is the page that was open.
    const after = withSession(next.url, token);
    const html = await after.log();
    expect(html).toContain('<p class="bubble">say one</p>');
    expect(html).toContain('<p class="bubble">wait before the end</p>');
    expect(html).toContain('<p>before the end</p>');
    expect(html).toContain('The daemon was restarted in the middle of this answer.');
    expect(html).toContain('Cut off');
    const [first] = claude.starts();
    await after.say('say two');
    expect(claude.starts()).toHaveLength(2);
    const { argv } = claude.starts()[1]!;
    expect(argv[argv.indexOf('--resume') + 1]).toMatch(/^[0-9a-f-]{36}$/);
    expect(first?.argv).not.toContain('--resume');
    expect(claude.told()).toEqual(['say one', 'wait before the end', 'say two']);
  });

  test('an agent whose own record is gone is said to be, and the next message begins anew', async () => {
    const { say, daemon, claude } = await stage();
    await say('say one');
    const current = daemon.db.sqlite.prepare('SELECT id FROM conversations').pluck().get();
    daemon.db.sqlite
      .prepare("UPDATE conversations SET session = '99999999-2222-3333-4444-555555555555' WHERE id = ?")
      .run(current);
    process.kill(claude.starts()[0]!.pid, 'SIGKILL');
    await waitFor('it is gone', () => {
      try {
        return !process.kill(claude.starts()[0]!.pid, 0);
      } catch {
        return true;
      }
    });
    await say('say two');
    expect(await say('say three')).toContain('no longer has its own record');
    expect(claude.starts().at(-1)?.argv).not.toContain('--resume');
  });
});
