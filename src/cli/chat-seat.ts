// The daemon's part of a chat at a terminal: its credential, what the agent is started with, and in which session it goes on.
import { randomUUID } from 'node:crypto';
import type { TerminalSeat, TerminalSession } from '../agents/claude-terminal.ts';
import { agentGrants } from '../dispatch/begin.ts';
import type { ChatSeat } from '../dispatch/chat-seats.ts';
import { conflict } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import { requireWorker } from '../domain/worker.ts';
import { agentLogin } from './agent-logins.ts';
import { modelOf } from './agents.ts';
import { importSessions, lastSession } from './chat-import.ts';
import type { ChatParts } from './chat-parts.ts';
import { type Core, promptText } from './core.ts';

/** The one its person was in last, a new one, one that they choose from the agent's list, or one by its id. */
export type SessionWish = 'last' | 'new' | 'choose' | { id: string };

export type TerminalGrant = {
  /** Its login is what is stored; else the terminal's own counts, and then the daemon's. */
  seat: TerminalSeat;
  daemonLogin: Record<string, string>;
  session: TerminalSession;
  /** The program, as set. */
  bin: string;
  /** Names the credential in the seat without being it. */
  tokenId: string;
  confinement: { wrap: string[]; runAs?: string };
};

/** The terminal extends it while the chat goes on; otherwise it ends by itself. */
const LEASE_MS = 3_600_000;

export type SeatDeps = {
  core: Pick<Core, 'db' | 'journal' | 'tokens' | 'folders' | 'settings' | 'mcpUrl'>;
  chats: Pick<ChatParts, 'chats' | 'chatting' | 'seats'>;
  now(): Date;
};

/** @throws OrgError when the Worker is not there, while an answer comes in that session elsewhere, or a terminal is in it */
export async function openSeat(deps: SeatDeps, workerId: string, wish: SessionWish): Promise<TerminalGrant> {
  const { journal, tokens, folders, settings, mcpUrl } = deps.core;
  requireWorker(journal.org, workerId);
  const { folder, roles, identity } = folders.prepare(workerId);
  // What a terminal that was killed left behind comes first.
  await importSessions(deps, workerId, { isOver: true });
  const session = await sessionFor(deps, workerId, wish);
  const resumed = sessionIn(session);
  requireNoOther(deps, workerId, session);
  stepBack(deps, workerId, resumed);
  const { id: tokenId, token } = tokens.create({
    workerId,
    label: 'chat at a terminal',
    kind: 'chat',
    lifetimeMs: LEASE_MS,
    ...(workerId === OWNER ? {} : { onBehalfOf: OWNER }),
  });
  deps.chats.seats.take({ tokenId, workerId, session: resumed });
  const runAs = settings.get('agent.run_as');
  const roleTexts = roles.map(({ content }) => content.trimEnd());
  return {
    session,
    tokenId,
    bin: settings.get('claude.bin'),
    daemonLogin: agentLogin('claude', settings, process.env),
    confinement: { wrap: settings.get('agent.wrap'), ...(runAs ? { runAs } : {}) },
    seat: {
      workerId,
      folder,
      mcp: { url: mcpUrl(workerId), token },
      instructions: [promptText('terminal.md').trimEnd(), ...roleTexts, identity].join('\n\n---\n\n'),
      grants: agentGrants(journal.org.grants.get(workerId)?.keys() ?? []),
      ...modelOf('claude', settings),
      login: agentLogin('claude', settings, {}),
    },
  };
}

/** The session a terminal is in; undefined while its person chooses one. */
export const sessionIn = (session: TerminalSession): string | undefined =>
  session === 'choose' ? undefined : 'resume' in session ? session.resume : session.begin;

/** The chat goes on. What was said so far is taken over. @returns whether the credential holds */
export async function keepSeat(deps: SeatDeps, seat: ChatSeat): Promise<boolean> {
  const { workerId, tokenId } = seat;
  const holds = deps.core.tokens.extend(tokenId, LEASE_MS);
  // A daemon that was started meanwhile hears of it here.
  if (holds) deps.chats.seats.take(seat);
  await importSessions(deps, workerId, { isOver: false });
  return holds;
}

/** The chat is over: its credential ends, and what was said is part of the conversation. */
export async function closeSeat(deps: SeatDeps, workerId: string, tokenId: string): Promise<void> {
  deps.core.tokens.revoke(tokenId);
  await importSessions(deps, workerId, { isOver: true });
  deps.chats.seats.release(tokenId);
}

async function sessionFor(deps: SeatDeps, workerId: string, wish: SessionWish): Promise<TerminalSession> {
  const begin = { begin: randomUUID() };
  if (wish === 'choose') return wish;
  if (wish === 'new') return begin;
  if (typeof wish === 'object') return { resume: wish.id };
  const last = await lastSession(deps, workerId);
  return last === undefined ? begin : { resume: last };
}

/** Two programs that go on in one session would write one record, and neither would know what the other was told. */
function requireNoOther({ chats: { seats } }: SeatDeps, worker: string, session: TerminalSession): void {
  if (session !== 'choose' && 'resume' in session && seats.isTaken({ worker, session: session.resume }))
    throw conflict(
      'This conversation goes on at another terminal. Go on there, end the chat there, or begin a new one here with --new; a terminal that was killed is forgotten within three minutes.',
    );
}

/** The page's agent knows nothing of what is said here, so it ends; its next message starts it anew. */
function stepBack({ chats: { chats, chatting } }: SeatDeps, workerId: string, session: string | undefined): void {
  const conversation = session === undefined ? undefined : chats.bySession(workerId, session);
  if (session !== undefined && !conversation) return;
  const running = chatting.turn(workerId)?.conversationId;
  if (running !== undefined && running === (conversation?.id ?? running))
    throw conflict(
      'In this conversation an answer comes on the page right now; wait for its end, or begin a new one with --new.',
    );
  chatting.stepBack(workerId);
}
