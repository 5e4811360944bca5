// What the owner of the newsroom said to their agent, and what came of it.
import { callLine, endLine, resultLine, saidLine, youLine } from '../../src/dispatch/chat-lines.ts';
import { writeLines } from '../../src/dispatch/chat-turn.ts';
import { createChats } from '../../src/store/chats.ts';
import type { openNewsroom } from './newsroom.ts';

const MODEL = 'claude-sonnet-5';
const conversation = (id: string, title: string, openedAt: string) => ({
  ...{ id, worker: 'w-owner', title, session: null, model: MODEL, costUsd: 0.19, unfinished: null },
  ...{ startedAt: openedAt, openedAt, lastAt: openedAt },
});

/** A conversation of two turns, the last of which wrote to the desk, and two older ones. */
export async function addChat({ daemon }: Awaited<ReturnType<typeof openNewsroom>>): Promise<void> {
  const { journal, db } = daemon;
  const chats = createChats(db);
  const now = () => new Date();
  await journal.commit('w-owner', { type: 'OpenChat', workerId: 'w-owner' }, { via: 'chat' });
  chats.add(conversation('c-old', 'Who is over their budget this week?', '2026-03-02T09:00:00.000Z'));
  chats.add(conversation('c-older', '/role fact checker', '2026-03-01T09:00:00.000Z'));
  const current = conversation('c-now', 'What is open on the desk?', now().toISOString());
  chats.add(current);
  const input = { streamId: 's-desk', limit: 5 };
  await writeLines({ journal, now }, current, [
    youLine('What is open on the desk?', 'What is open on the desk?'),
    callLine('t1', 'mcp__helix__list_stream_events', input),
    resultLine('t1', false, '{"events":[{"source":"w-cleo","body":"Two bridges are closed"}]}'),
    saidLine(
      'Two things wait:\n\n- **The bridges**: `w-cleo` has one source and looks for the second.\n- **The budget**: nobody has it yet.',
    ),
    endLine({ state: 'done', model: MODEL, costUsd: 0.08, ms: 6_200 }),
    youLine(
      'Ask the desk who takes the budget, and file it under tomorrow.',
      'Ask the desk who takes the budget, and file it under tomorrow.',
    ),
    callLine('t2', 'mcp__helix__publish', { streamId: 's-desk', body: 'Who takes the budget story for tomorrow?' }),
  ]);
  await daemon.door.call({ workerId: 'w-owner', via: 'chat' }, 'publish', {
    streamId: 's-desk',
    body: 'Who takes the budget story for tomorrow?',
  });
  await writeLines({ journal, now }, current, [
    resultLine('t2', false, '{"activates":{"count":1}}'),
    callLine('t3', 'mcp__helix__create_stream', { id: 's-tomorrow' }),
    resultLine('t3', true, 'name is required'),
    saidLine(
      'I asked on `s-desk`. There is no Stream for tomorrow yet; shall I make one?\n\n```\ns-tomorrow   what goes out tomorrow\n```',
    ),
    endLine({ state: 'done', model: MODEL, costUsd: 0.11, ms: 9_400 }),
  ]);
}
