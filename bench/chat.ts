// From Enter to the first letters of the answer on the page, beyond what the model itself takes; with an agent that is warm.
//   npm run bench:chat [-- --quick]
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from '../src/cli/daemon.ts';
import { dataPaths } from '../src/cli/data-dir.ts';
import { writeChatClaude } from '../test/support/chat-claude-program.ts';
import { startScriptedAnthropic } from '../test/support/scripted-anthropic.ts';
import { type Figure, isQuick, median, report, show, spread } from './figures.ts';

const ROUNDS = isQuick ? 10 : 40;
const GOAL_MS = 100;
const CLAUDE = new URL('../test/real-agents/node_modules/@anthropic-ai/claude-code/bin/claude.exe', import.meta.url);

/** Milliseconds of each round. @param say what makes the agent answer with the mark @param modelMs what the model took of a round */
async function measure(bin: string, baseUrl: string | undefined, say: (mark: string) => string, modelMs: () => number) {
  const folder = mkdtempSync(join(tmpdir(), 'helix-bench-'));
  const daemon = await startDaemon({
    paths: dataPaths({ dataDir: folder }, {}),
    address: { host: '127.0.0.1', port: 0 },
    settings: { 'claude.bin': bin },
  });
  try {
    const login = { ANTHROPIC_API_KEY: 'dummy', ...(baseUrl ? { ANTHROPIC_BASE_URL: baseUrl } : {}) };
    daemon.settings.setSecret('login.claude', JSON.stringify(login));
    const { token } = daemon.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'bench' });
    const headers = { cookie: `helix_session=${token}`, origin: daemon.url, 'hx-request': 'true' };
    const page = await (await fetch(`${daemon.url}/ui/`, { headers: { cookie: headers.cookie } })).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const live = await openLive(`${daemon.url}/ui/live?topics=chat:w-owner`, headers.cookie);
    const times: number[] = [];
    for (let n = 0; n <= ROUNDS; n++) {
      const mark = `mark-${n}-of-it`;
      const began = performance.now();
      const seen = live.until(new RegExp(`class="said[^>]*>(?:(?!class="you")[\\s\\S])*${mark}`));
      const body = new URLSearchParams({ csrf, text: say(mark) });
      const sent = await fetch(`${daemon.url}/ui/chat/send`, { method: 'POST', body, headers });
      if (sent.status !== 204) throw new Error(`${sent.status}: ${await sent.text()}`);
      await seen;
      // The first one starts the agent.
      if (n > 0) times.push(performance.now() - began - modelMs());
      await live.until(/class="turn-note/);
    }
    live.close();
    return times;
  } finally {
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What comes on the connection of a page; each look begins where the last one ended. */
async function openLive(url: string, cookie: string) {
  const stop = new AbortController();
  const response = await fetch(url, { headers: { cookie }, signal: stop.signal });
  let text = '';
  let look = () => {};
  void (async () => {
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      look();
    }
  })().catch(() => {});
  return {
    until: (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        look = () => {
          const found = pattern.exec(text);
          if (!found) return;
          look = () => {};
          text = text.slice(found.index + found[0].length);
          resolve();
        };
        look();
      }),
    close: () => stop.abort(),
  };
}

const figures: Figure[] = [];

function tell(what: string, times: number[]): void {
  const mid = median(times);
  figures.push({
    what,
    ours: show(mid, 'ms'),
    spread: spread(times, 'ms'),
    goal: `≤ ${GOAL_MS} ms`,
    isMet: mid <= GOAL_MS,
  });
}

const stage = mkdtempSync(join(tmpdir(), 'helix-bench-claude-'));
tell(
  'Enter to the first letters, an agent that answers at once',
  await measure(
    writeChatClaude(stage),
    undefined,
    (mark) => `say ${mark}`,
    () => 0,
  ),
);
rmSync(stage, { recursive: true, force: true });

if (existsSync(CLAUDE)) {
  let modelMs = 0;
  const model = await startScriptedAnthropic(({ said }) => {
    const began = performance.now();
    const text = said.findLast((each) => each.startsWith('SAY '))?.slice(4) ?? 'Nothing.';
    modelMs = performance.now() - began;
    return { say: text };
  });
  tell(
    'Enter to the first letters, Claude Code without its model',
    await measure(
      CLAUDE.pathname,
      model.url,
      (mark) => `SAY ${mark}`,
      () => modelMs,
    ),
  );
  await model.close();
} else console.log('The real Claude Code is not installed here (npm run test:agents installs it).');
report({ bench: 'chat', figures });
process.exit(0);
