import type { Route } from 'playwright-core';
import { expect, test } from 'vitest';
import {
  DESKTOP,
  describeInBrowser,
  isLive,
  openPage,
  overflow,
  PHONE,
  seriousFindings,
  startPages,
} from '../support/browser.ts';
import { chatClaude } from '../support/chat-claude.ts';
import { type PlayAgent, waitFor } from '../support/daemon.ts';

const NASTY = `</p><script>document.title='owned'</script><img src=x onerror="document.title='owned'">[x](javascript:document.title='owned')<b hx-get="/ui/org" hx-trigger="load">b</b>`;

process.env.ANTHROPIC_API_KEY ??= 'dummy';

/** A daemon whose owner chats with a program that does what it is told. */
async function chatPages(agent?: PlayAgent) {
  const claude = chatClaude();
  const started = await startPages({ settings: { 'claude.bin': claude.bin }, ...(agent ? { agent } : {}) });
  const open = async (options = {}) => {
    const { page } = await openPage(started.daemon, '/ui/', options);
    await isLive(page);
    return {
      page,
      async say(text: string) {
        await page.fill('#chat-text', text);
        await page.press('#chat-text', 'Enter');
      },
    };
  };
  return { ...started, claude, open };
}

describeInBrowser('the chat', () => {
  test('A176: an answer appears once, as it comes, in every tab, own bubbles too', async () => {
    const { claude, open } = await chatPages();
    const one = await open();
    const two = await open();
    expect(claude.starts()).toEqual([]);
    await one.say('wait One moment');
    for (const { page } of [one, two]) {
      await page.waitForSelector('.bubble >> text=wait One moment');
      await page.waitForSelector('.growing >> text=One moment');
    }
    await two.page.waitForSelector('.stop-form button:visible');
    claude.goOn();
    for (const { page } of [one, two]) {
      await page.waitForSelector('.turn-note');
      expect(await page.locator('.said:has-text("One moment went on")').count()).toBe(1);
    }
    expect(await one.page.inputValue('#chat-text')).toBe('');
    // Also while the log is still on its way, the turn before stays.
    await one.page.route('**/ui/chat/log', (route) => route.abort());
    await two.say('slow and ```\na\n\nb\n``` so on');
    await one.page.waitForSelector('.bubble >> text=slow and');
    await one.page.waitForSelector('#chat-turn .turn-note');
    expect(await one.page.locator('.bubble').allTextContents()).toEqual([
      'wait One moment',
      'slow and ```\na\n\nb\n``` so on',
    ]);
    expect(claude.starts()).toHaveLength(1);
  });

  test('A174: commands are offered while one types, and filled in by a click or by keys', async () => {
    const { open, claude } = await chatPages();
    const { page } = await open();
    const type = (text: string) => page.locator('#chat-text').pressSequentially(text);
    await type('/RO');
    await page.waitForSelector('.offer >> text=/role');
    expect(await page.locator('.offer').count()).toBe(1);
    await page.click('.offer');
    expect(await page.inputValue('#chat-text')).toBe('/role ');
    await page.fill('#chat-text', '');
    await type('hello');
    await page.waitForSelector('.offer', { state: 'detached' });
    await page.fill('#chat-text', '');
    await type('/');
    await page.waitForSelector('.offer >> nth=1');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await type('cto');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.bubble >> text="/role cto"');
    await waitFor('the model was told', () => claude.told()[0]?.includes('The job is: "cto"'));
  });

  test('A177: nothing of the model, of a tool or of a person runs; code is copied as it is', async () => {
    const { open } = await chatPages();
    const { page, say } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await say(`say ${NASTY}\n\n\`\`\`js\nlet a = "<b>";\n\`\`\`\n`);
    await page.waitForSelector('#chat-turn .turn-note');
    await say(`call get_role ${JSON.stringify({ roleId: NASTY })}`);
    await page.waitForSelector('#chat-turn .tool-chip.is-error');
    await page.waitForSelector('#chat-turn .turn-note');
    await page.click('.tool-chip summary');
    expect(await page.title()).toBe('Chat · helix-org');
    expect(await page.locator('.answer img, .answer script, .answer b, a[href^="javascript"]').count()).toBe(0);
    await page.click('.answer .copy');
    await page.waitForSelector('.copy >> text=Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('let a = "<b>";\n');
  });

  test('A178: a chip that was opened stays open while the answer goes on', async () => {
    const { open, claude } = await chatPages();
    const { page, say } = await open();
    await say('call list_roles {}');
    await page.waitForSelector('.tool-chip');
    await page.click('.tool-chip summary');
    await page.waitForSelector('.turn-note');
    expect(await page.getAttribute('.tool-chip', 'open')).not.toBeNull();
    await say('wait more');
    await page.waitForSelector('.growing');
    await page.click('.stop-form button');
    await page.waitForSelector('#chat-turn .turn-note >> text=Stopped');
    expect(claude.starts()).toHaveLength(1);
  });

  test('it reads well on a phone, in the dark, for screen readers, and when something is wrong', async () => {
    const { open } = await chatPages();
    for (const look of [{ ...DESKTOP }, { ...DESKTOP, colorScheme: 'dark' }, { ...PHONE, colorScheme: 'dark' }]) {
      const { page, say } = await open(look);
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
      await say(`say # Done\n\n1. **Hired** w-echo\n2. \`\`\`\n${'long '.repeat(60)}\n\`\`\`\n`);
      await page.waitForSelector('#chat-turn .turn-note');
      await say('call list_roles {}');
      await page.waitForSelector('#chat-turn .tool-chip');
      await page.waitForSelector('#chat-turn .turn-note');
      await say('error authentication_failed');
      await page.waitForSelector('#chat-turn .chat-failure');
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
      const shots = process.env.HELIX_LOOK;
      if (shots) await page.screenshot({ path: `${shots}-${look.viewport.width}-${'colorScheme' in look}.png` });
    }
  });

  test('what is typed and not sent outlives other pages, a session that ended and a daemon that is away', async () => {
    const { daemon, claude, open } = await chatPages();
    const { page } = await open();
    await page.fill('#chat-text', 'say what I was about to ask');
    await page.click('nav >> text=Org');
    await page.click('nav >> text=Chat');
    expect(await page.inputValue('#chat-text')).toBe('say what I was about to ask');
    await isLive(page);
    const unavailable = (route: Route) => route.abort();
    await page.route('**/ui/chat/send', unavailable);
    await page.press('#chat-text', 'Enter');
    await page.waitForSelector('#chat-problem >> text=The daemon does not answer.');
    await page.unroute('**/ui/chat/send', unavailable);
    for (const { id } of daemon.tokens.list().filter(({ kind }) => kind === 'session')) daemon.tokens.revoke(id);
    await page.press('#chat-text', 'Enter');
    await page.waitForSelector('text=You are not signed in');
    const { token } = daemon.tokens.create({ workerId: 'w-owner', kind: 'token', label: 'test' });
    await page.fill('[name=token]', token);
    await page.press('[name=token]', 'Enter');
    await page.waitForSelector('#chat-text');
    expect(await page.inputValue('#chat-text')).toBe('say what I was about to ask');
    await isLive(page);
    await page.press('#chat-text', 'Enter');
    await page.waitForSelector('.said >> text=what I was about to ask');
    await waitFor('it is taken', async () => (await page.inputValue('#chat-text')) === '');
    await page.reload();
    expect(await page.inputValue('#chat-text')).toBe('');
    await page.fill('#chat-text', 'not for who comes next');
    await page.click('text=Sign out');
    await page.waitForSelector('text=You are not signed in');
    expect(await page.evaluate("Object.keys(sessionStorage).filter((key) => key.includes('draft'))")).toEqual([]);
    expect(claude.told()).toEqual(['say what I was about to ask']);
  });

  test('on a phone the conversation comes first, and that it goes on at a terminal is seen', async () => {
    const { daemon, open } = await chatPages();
    const { page, say } = await open(PHONE);
    expect(await page.evaluate('scrollY')).toBe(0);
    await say('say hello');
    await page.waitForSelector('#chat-turn .turn-note');
    await page.reload();
    expect(await page.locator('.recent:visible').count()).toBe(0);
    await page.click('.chat-recents summary');
    expect(await page.locator('.recent:visible').count()).toBe(1);
    const session = daemon.db.sqlite.prepare('SELECT session FROM conversations').pluck().get();
    await fetch(`${daemon.url}/control/chat.open`, {
      method: 'POST',
      headers: { authorization: `Bearer ${daemon.ownerToken}` },
      body: JSON.stringify({ worker: 'w-owner', session: { id: session } }),
    });
    await page.waitForSelector('text=This conversation goes on at a terminal');
    expect(await overflow(page)).toBe(0);
  });

  test('without JavaScript one reads and sends', async () => {
    const { daemon } = await chatPages();
    const { page } = await openPage(daemon, '/ui/', { javaScriptEnabled: false });
    await page.fill('#chat-text', 'say it plainly');
    const sent = page.waitForResponse((response) => response.request().method() === 'GET');
    await page.click('.send-button');
    // The page that the form leads back to; to reload before would break it off.
    await (await sent).finished();
    await page.waitForLoadState();
    await waitFor('the answer is there', async () => {
      await page.reload();
      return (await page.locator('.said:has-text("it plainly")').count()) === 1;
    });
  });

  test('what the very first message caused is shown as it happens', async () => {
    let answer = () => {};
    const answering = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { daemon, call, open } = await chatPages(async (run) => {
      if (!run.prompt.includes('marco')) return;
      await answering;
      const { triggers, root } = daemon.queries.activation(run.activationId)!;
      const cause = { causedBy: triggers.at(-1)!, root, hops: 1, activationId: run.activationId };
      const said = { toWorkerId: 'w-owner', body: 'polo' };
      await daemon.door.call({ workerId: run.workerId, via: 'mcp', cause }, 'dm', said);
    });
    await call('create_role', { id: 'r-polo', content: '# Role: Polo' });
    await call('create_position', { id: 'p-polo', roleId: 'r-polo', parentId: 'p-root' });
    const hire = { id: 'w-polo', positionId: 'p-polo', kind: 'ai', identityContent: 'I answer.' };
    await call('hire_worker', { ...hire, grants: [{ toolName: 'dm' }] });
    await daemon.dispatcher.idle();
    const { page, say } = await open();
    await say('call dm {"toWorkerId":"w-polo","body":"marco"}');
    await page.waitForSelector('#chat-turn .turn-note');
    await page.waitForSelector('#chat-caused .state.running');
    answer();
    await page.waitForSelector('#chat-caused .caused-answer >> text=polo');
  });

  test('by keyboard alone, from the hire to the answer', async () => {
    const { daemon, open } = await chatPages(async (run) => {
      if (!run.prompt.includes('marco')) return;
      const { triggers, root } = daemon.queries.activation(run.activationId)!;
      const cause = { causedBy: triggers.at(-1)!, root, hops: 1, activationId: run.activationId };
      await daemon.door.call({ workerId: run.workerId, via: 'mcp', cause }, 'dm', {
        toWorkerId: 'w-owner',
        body: 'polo',
      });
    });
    const { page } = await open();
    const keys = async (...all: string[]) => {
      for (const key of all) await page.keyboard.press(key);
    };
    /** Tabs on to something. */
    const reach = async (selector: string) => {
      for (let n = 0; n < 120; n++) {
        if (await page.locator(`${selector}:focus`).count()) return;
        await keys('Tab');
      }
      throw new Error(`${selector} is not reached by keyboard`);
    };
    await reach('#chat-text');
    for (const text of [
      'call create_role {"id":"r-polo","content":"# Role: Polo\\n\\n## Tools (MCP)\\n\\n- `dm`\\n"}',
      'call create_position {"id":"p-polo","roleId":"r-polo","parentId":"p-root"}',
    ]) {
      await page.keyboard.type(text);
      await keys('Enter');
      await page.waitForSelector('#chat-turn .turn-note');
      await waitFor('it is taken', async () => (await page.inputValue('#chat-text')) === '');
      await waitFor(
        'it is over',
        () =>
          daemon.db.sqlite.prepare('SELECT count(*) FROM conversations WHERE unfinished IS NULL').pluck().get() === 1,
      );
    }
    await keys('Tab', 'g', 'o');
    await page.waitForURL('**/ui/org');
    await isLive(page);
    await reach('[data-seat][href$="/p-polo"]');
    await keys('Enter');
    await page.waitForSelector('#detail:focus');
    await reach('#detail details.confirm:has-text("Hire") summary');
    await keys('Enter');
    await reach('#detail input[name="id"]');
    await page.keyboard.type('w-polo');
    await reach('#detail textarea[name="identityContent"]');
    await page.keyboard.type('I answer polo.');
    await keys('Control+Enter');
    await waitFor('it is hired', () => daemon.queries.worker('w-polo'));
    await daemon.dispatcher.idle();
    await page.waitForSelector('.flash.done');
    await isLive(page);
    await keys('Tab', 'g', 'c');
    await page.waitForURL('**/ui/');
    await isLive(page);
    await reach('#chat-text');
    await page.keyboard.type('call dm {"toWorkerId":"w-polo","body":"marco"}');
    await keys('Enter');
    await page.waitForSelector('.caused-answer >> text=polo');
  });
});
