// What was said at a terminal becomes part of the conversations that pages show, from the sessions that the agent keeps.
import { chatConfigDirectory } from '../agents/claude-chat.ts';
import { readClaudeSession, type StoredTalk, storedSessions } from '../agents/claude-sessions.ts';
import { writeLines } from '../dispatch/chat-turn.ts';
import type { Conversation } from '../store/chats.ts';
import { adopt, linesOf } from './chat-parts.ts';
import type { SeatDeps } from './chat-seat.ts';

/** Conversations that are looked at again; older ones wait until they are gone on with. */
const LOOKED_AT = 50;

/**
 * Takes over whatever was said after the last line of each conversation, and sessions that began at a terminal.
 * @param isOver false while the terminal goes on: then its last message waits for the whole answer
 */
export async function importSessions(deps: SeatDeps, workerId: string, { isOver }: { isOver: boolean }): Promise<void> {
  const { chats, chatting } = deps.chats;
  const [directory, folder] = placeOf(deps, workerId);
  const stored = await storedSessions(directory, folder);
  for (const { id: session, at } of stored.slice(0, LOOKED_AT).reverse()) {
    const known = chats.bySession(workerId, session);
    const running = chatting.turn(workerId)?.conversationId;
    // What the page's own agent says there is written by the daemon.
    if (running !== undefined && (known === undefined || known.id === running)) continue;
    if (known !== undefined && at <= known.lastAt) continue;
    const talk = said(await readClaudeSession(directory, folder, session), { after: known?.lastAt ?? '', isOver });
    if (talk.length === 0) continue;
    await take(deps, { workerId, session, known, talk });
  }
}

/** The session of the conversation that its person opened last, if the agent still has it. */
export async function lastSession(deps: SeatDeps, workerId: string): Promise<string | undefined> {
  const current = deps.chats.chats.current(workerId)?.session;
  return (await storedSessions(...placeOf(deps, workerId))).find(({ id }) => id === current)?.id;
}

function placeOf({ core }: SeatDeps, workerId: string): [string, string] {
  const folder = core.folders.pathOf(workerId);
  return [chatConfigDirectory(folder), folder];
}

function said(talk: StoredTalk[] = [], { after, isOver }: { after: string; isOver: boolean }): StoredTalk[] {
  const fresh = talk.filter(({ at }) => at > after);
  return isOver
    ? fresh
    : fresh.slice(
        0,
        Math.max(
          0,
          fresh.findLastIndex(({ kind }) => kind === 'you'),
        ),
      );
}

type Heard = { workerId: string; session: string; known: Conversation | undefined; talk: StoredTalk[] };

/** The page goes where something was said last, unless an answer comes there. */
async function take({ core, chats: { chats, chatting }, now }: SeatDeps, heard: Heard): Promise<void> {
  const { workerId, known, talk } = heard;
  const { journal } = core;
  const before = chats.current(workerId);
  const conversation = known ?? (await adopt({ chats, journal, now }, heard));
  if (known) await writeLines({ journal, now }, known, linesOf(talk));
  const lastAt = talk.at(-1)?.at ?? now().toISOString();
  const isLatest = !chatting.turn(workerId) && (before === undefined || lastAt > before.lastAt);
  chats.change(conversation.id, { lastAt, openedAt: isLatest ? lastAt : conversation.startedAt });
  chatting.stepBack(workerId);
}
