// What chats are made of: the agent as it is started now for a person, their sessions on disk, and what pages are told.
import { randomUUID } from 'node:crypto';
import { baseEnvironment } from '../agents/agent-environment.ts';
import {
  type ClaudeChat,
  chatConfigDirectory,
  claudeChatArguments,
  claudeChatEnvironment,
  prepareClaudeChat,
} from '../agents/claude-chat.ts';
import { examineClaude } from '../agents/claude-check.ts';
import { startClaudeConversation } from '../agents/claude-conversation.ts';
import { listClaudeSessions, readClaudeSession, type StoredTalk } from '../agents/claude-sessions.ts';
import { confine } from '../agents/confinement.ts';
import { stopActivationProcesses } from '../agents/process-tree.ts';
import { type ChatPerson, createChatting } from '../dispatch/chat.ts';
import { type ChatLine, callLine, endLine, resultLine, saidLine, youLine } from '../dispatch/chat-lines.ts';
import { recoverChats } from '../dispatch/chat-recovery.ts';
import { createChatSeats } from '../dispatch/chat-seats.ts';
import { writeLines } from '../dispatch/chat-turn.ts';
import { type ChatTokens, createChatTokens } from '../dispatch/memory-tokens.ts';
import type { ChatLaunch, ChatProblem } from '../domain/chat-agent.ts';
import { notFound } from '../domain/errors.ts';
import { expandSlash, slashOffers } from '../prompts/slash.ts';
import { type Chats, type Conversation, createChats } from '../store/chats.ts';
import { agentLogin } from './agent-logins.ts';
import { modelOf } from './agents.ts';
import { type Core, promptText } from './core.ts';
import { unrefTimer } from './timer.ts';

export type ChatParts = ReturnType<typeof createChatParts>;

type ChatCore = Pick<Core, 'db' | 'journal' | 'settings' | 'folders' | 'prompts' | 'mcpUrl'>;

export type ChatEdges = {
  now?: () => Date;
  after?: (delayMs: number, callback: () => void) => () => void;
};

export function createChatParts(core: ChatCore, { now = () => new Date(), after = unrefTimer }: ChatEdges = {}) {
  const { journal, settings, prompts, folders } = core;
  const chats = createChats(core.db);
  const chatTokens = createChatTokens();
  const seats = createChatSeats(after);
  const stopProcesses = (mark: string) => stopActivationProcesses({ activationId: mark });
  const chatting = createChatting({
    journal,
    chats,
    seats,
    settings,
    start: startClaudeConversation,
    launch: (person, session) => launchClaude(core, chatTokens, person, session),
    expand: (workerId, text) => expandSlash(prompts, workerId, text),
    now,
    after,
  });
  const placeOf = (workerId: string) => {
    const folder = folders.pathOf(workerId);
    return [chatConfigDirectory(folder), folder] as const;
  };
  return {
    chatting,
    chats,
    seats,
    chatTokens,
    offers: (workerId: string, text: string) => slashOffers(prompts, workerId, text),
    sessions: {
      list: (workerId: string) => listClaudeSessions(...placeOf(workerId), chats.sessionsOf(workerId)),
      async adopt(workerId: string, session: string): Promise<Conversation> {
        const known = chats.bySession(workerId, session);
        if (known) return known;
        const talk = await readClaudeSession(...placeOf(workerId), session);
        if (!talk || talk.length === 0) throw notFound('There is no such session any more; choose one of the list.');
        return adopt({ chats, journal, now }, { workerId, session, talk });
      },
    },
    recoverChats: () => recoverChats({ journal, chats, now, stopProcesses }),
  };
}

/** Whatever is set, now: a login that was mended counts with the next message. */
async function launchClaude(
  { settings, folders, journal, mcpUrl }: ChatCore,
  chatTokens: ChatTokens,
  { workerId, onBehalfOf }: ChatPerson,
  session: string | undefined,
): Promise<ChatLaunch | ChatProblem> {
  const login = agentLogin('claude', settings, process.env);
  const { found, problems } = await examineClaude(settings.get('claude.bin'), login);
  const [problem] = problems;
  if (problem || found === null) return problem ?? { sentence: 'Claude Code was not found.', fix: 'Install it.' };
  const { folder, roles, identity } = folders.prepare(workerId);
  const roleTexts = roles.map(({ content }) => content.trimEnd());
  await prepareClaudeChat(folder, [promptText('chat.md').trimEnd(), ...roleTexts, identity].join('\n\n---\n\n'));
  const runAs = settings.get('agent.run_as');
  const confinement = { wrap: settings.get('agent.wrap'), ...(runAs ? { runAs } : {}) };
  const id = `chat-${randomUUID()}`;
  const token = chatTokens.issue({ workerId, ...(onBehalfOf ? { onBehalfOf } : {}), id });
  const held = [...(journal.org.grants.get(workerId)?.keys() ?? [])];
  const chat: ClaudeChat = {
    folder,
    workerId,
    session,
    login,
    model: modelOf('claude', settings).model,
    grants: held.flatMap((grant) => (grant.startsWith('agent:') ? [grant.slice('agent:'.length)] : [])),
    mcp: { url: mcpUrl(workerId), token },
  };
  const confined = await confine({ folder, workerId, confinement }, [found, ...claudeChatArguments(chat)]);
  if ('problem' in confined) {
    chatTokens.revoke(id);
    return { sentence: confined.problem, fix: 'Correct the setting: `helix-org config set agent.run_as NAME`' };
  }
  return {
    ...confined,
    environment: {
      ...baseEnvironment({ folder, environment: {}, mcp: chat.mcp }, process.env),
      ...claudeChatEnvironment(chat),
    },
    cwd: folder,
    release: () => chatTokens.revoke(id),
  };
}

type Adopted = { workerId: string; session: string; talk: StoredTalk[] };

/** A session begun elsewhere becomes a conversation, with all that was said in it. */
export async function adopt(
  { chats, journal, now }: { chats: Chats; journal: Core['journal']; now(): Date },
  { workerId, session, talk }: Adopted,
): Promise<Conversation> {
  await journal.commit(workerId, { type: 'OpenChat', workerId }, { via: 'chat' });
  const at = now().toISOString();
  const title = (talk.find(({ kind }) => kind === 'you') as { text?: string } | undefined)?.text ?? session;
  const conversation: Conversation = {
    id: `c-${randomUUID()}`,
    worker: workerId,
    title: title.replace(/\s+/g, ' ').slice(0, 80).toWellFormed(),
    session,
    model: null,
    costUsd: 0,
    startedAt: talk[0]?.at || at,
    openedAt: at,
    lastAt: talk.at(-1)?.at || at,
    unfinished: null,
  };
  chats.add(conversation);
  await writeLines({ journal, now }, conversation, linesOf(talk));
  return conversation;
}

/** What was said elsewhere, as lines; each message with the end of its answer. */
export const linesOf = (talk: StoredTalk[]): ChatLine[] =>
  talk.flatMap((each, index) => {
    const isLast = index + 1 === talk.length || talk[index + 1]?.kind === 'you';
    return [lineOf(each), ...(isLast ? [endLine({ state: 'done' })] : [])];
  });

function lineOf(talk: StoredTalk) {
  switch (talk.kind) {
    case 'you':
      return youLine(talk.text, talk.text);
    case 'said':
      return saidLine(talk.text);
    case 'call':
      return callLine(talk.id, talk.name, talk.input);
    case 'result':
      return resultLine(talk.id, talk.isError, talk.content);
  }
}
