// /ui/: a person's conversation with their agent. Everything shown is made of stored lines and of the letters that are coming, so
// any page can be brought up to date at any moment, and all pages of a person show the same.
import type { Chatting } from '../../dispatch/chat.ts';
import { AT_TERMINAL, type ChatSeats } from '../../dispatch/chat-seats.ts';
import type { Chats, Conversation } from '../../store/chats.ts';
import { type CausedDeps, causedOf } from './chat-caused.ts';
import type { PromptOffers } from './chat-commands.ts';
import { chatForms } from './chat-forms.ts';
import { growingHtml, type TurnView, turnsOf } from './chat-turns.ts';
import type { Ui, View } from './kit.ts';
import type { Live } from './live.ts';
import { clip, moment, money } from './shown.ts';
import type { Visit } from './visit.ts';

/** A session of the agent that was not begun here, as its own files tell. */
export type ForeignSession = { id: string; title: string; at: string };

export type ChatPageDeps = CausedDeps & {
  chatting: Chatting;
  chats: Chats;
  seats: Pick<ChatSeats, 'isTaken'>;
  offers: PromptOffers;
  sessions: {
    list(workerId: string): Promise<ForeignSession[]>;
    /** Makes a conversation of it, with what was said. @throws OrgError not_found */
    adopt(workerId: string, session: string): Promise<Conversation>;
  };
};

const TURNS_SHOWN = 30;
const LINES_MAX = 5_000;
const RECENTS = 30;
const FOUND = 20;
/** Pages get letters this often at most, and less often while an answer is large. */
const PUSH_MS = 40;
const PUSH_MS_PER_KB = 1.5;

export function chatPages(ui: Ui, deps: ChatPageDeps, live: Live): void {
  ui.page('/', (visit) => chatView(deps, visit));
  ui.page('/chat/log', (visit) => (visit.isFragment ? logView(deps, visit) : chatView(deps, visit)));
  ui.page('/chat/recents', async (visit) => ({ ...(await chatView(deps, visit)), partial: 'chat-recents' }));
  ui.page('/chat/caused', (visit) => (visit.isFragment ? causedView(deps, visit) : chatView(deps, visit)));
  chatForms(ui, deps);
  pushTurns(ui, deps, live);
}

async function chatView(deps: ChatPageDeps, visit: Visit): Promise<View> {
  const { data, ...log } = logView(deps, visit);
  const words = visit.param('q').trim().slice(0, 200);
  const { workerId } = visit;
  const current = deps.chatting.current(workerId);
  const side = {
    words,
    recents: deps.chats.recent(workerId, RECENTS).map((each) => recentOf(each, current)),
    found: words === '' ? [] : deps.chats.search(workerId, words, FOUND).map((each) => recentOf(each, current)),
    sessions: (await deps.sessions.list(workerId)).map(({ id, title, at }) => ({
      id,
      title: clip(title, 80),
      at: moment(at),
    })),
  };
  return { ...log, data: { ...data, side } };
}

function causedView(deps: ChatPageDeps, visit: Visit): View {
  const last = turnsIn(deps, visit, Number.MAX_SAFE_INTEGER, 1).turns.at(-1);
  return { title: 'Chat', page: 'chat', partial: 'chat-caused', data: { caused: causedIn(deps, visit, last) } };
}

const recentOf = ({ id, title, lastAt }: Conversation, current: Conversation | undefined) => ({
  id,
  title: clip(title, 80),
  at: moment(lastAt),
  isCurrent: id === current?.id,
});

/** The log of the person's conversation. */
function logView(deps: ChatPageDeps, visit: Visit): View {
  const { workerId } = visit;
  const before = Number(visit.param('before')) || Number.MAX_SAFE_INTEGER;
  const { turns, earlier } = turnsIn(deps, visit, before, TURNS_SHOWN);
  const last = turns.at(-1);
  return {
    title: 'Chat',
    section: 'chat',
    page: 'chat',
    partial: 'chat-log',
    topics: [`chat:${workerId}`, 'workers', 'activations'],
    data: {
      workerId,
      past: turns.slice(0, -1).map((turn, index) => {
        const to = turns[index + 1]?.seq;
        return { turn, caused: causedIn(deps, visit, turn, to) };
      }),
      earlier: earlier === undefined ? '' : `/ui/?before=${earlier}`,
      isPast: before < Number.MAX_SAFE_INTEGER,
      ...nowOf(deps, workerId, last),
      caused: causedIn(deps, visit, last),
    },
  };
}

/** What changes while an answer comes: the last turn, and the foot of the page. */
function nowOf(
  { chatting, seats }: Pick<ChatPageDeps, 'chatting' | 'seats'>,
  workerId: string,
  turn: TurnView | undefined,
) {
  const conversation = chatting.current(workerId);
  const running = chatting.turn(workerId);
  const isHere = running !== undefined && running.conversationId === conversation?.id;
  const { model = '', costUsd = 0 } = conversation ?? {};
  return {
    turn,
    growing: isHere ? growingHtml(running.growing) : '',
    state: isHere ? (running.isStopping ? 'stopping' : 'running') : 'idle',
    isSilent: isHere && running.growing === '',
    elsewhere: conversation && seats.isTaken(conversation) ? AT_TERMINAL : '',
    foot: model ? [model, costUsd > 0 ? `${money(costUsd)} so far` : ''].filter(Boolean).join(' · ') : '',
  };
}

type Turns = { turns: TurnView[]; earlier: number | undefined };

function turnsIn(deps: ChatPageDeps, visit: Visit, before: number, most: number): Turns {
  const { chats, chatting } = deps;
  const conversation = chatting.current(visit.workerId);
  if (!conversation || !visit.mayRead(`s-chat-${visit.workerId}`)) return { turns: [], earlier: undefined };
  const questions = chats.questions(conversation.id, before, most + 1);
  const shown = questions.slice(-most);
  const [first] = shown;
  if (first === undefined) return { turns: [], earlier: undefined };
  const lines = chats.lines(conversation.id, { after: first - 1, limit: LINES_MAX });
  if (lines.length === LINES_MAX && most > 1) {
    // So many that the newest are not among them: fewer turns, down to the last, of which one sees the beginning.
    return turnsIn(deps, visit, before, Math.max(1, Math.floor(Math.min(most, shown.length) / 2)));
  }
  const turns = turnsOf(lines.filter(({ seq }) => seq < before));
  return { turns, earlier: questions.length > most ? first : undefined };
}

/** A turn that runs is not over yet; what is done after its end is somebody else's doing, such as a page's. */
function causedIn(deps: ChatPageDeps, visit: Visit, turn: TurnView | undefined, next?: number) {
  if (!turn) return [];
  const end = turn.end ? turn.lastSeq : Number.MAX_SAFE_INTEGER;
  return causedOf(deps, visit, { from: turn.seq, to: Math.min(end, next ?? end) });
}

/**
 * Brings the turn as it is now to all pages of its person. The first letters go at once, so that they are seen when they come.
 * A new turn, and the end of one, make pages ask for the whole log.
 */
function pushTurns(ui: Ui, deps: ChatPageDeps, live: Live): void {
  const { chatting, chats } = deps;
  const waiting = new Map<string, NodeJS.Timeout>();
  const shown = new Map<string, string>();

  function push(workerId: string): void {
    if (!live.hears(`chat:${workerId}`)) return void shown.delete(workerId);
    const conversation = chatting.current(workerId);
    const [first] = conversation ? chats.questions(conversation.id, Number.MAX_SAFE_INTEGER, 1) : [];
    const isRunning = chatting.turn(workerId) !== undefined;
    // Whether pages show this very turn, running or not.
    const what = `${conversation?.id} ${first} ${isRunning}`;
    if (shown.get(workerId) !== what) {
      shown.set(workerId, what);
      live.mark(`chat:${workerId}`);
    }
    if (!conversation || first === undefined) return;
    const [turn] = turnsOf(chats.lines(conversation.id, { after: first - 1, limit: LINES_MAX }));
    const html = ui.pages.render('chat-push', { ...nowOf(deps, workerId, turn), workerId });
    live.bring(`chat:${workerId}`, html);
    const pause = PUSH_MS + (html.length / 1_024) * PUSH_MS_PER_KB;
    waiting.set(workerId, setTimeout(() => again(workerId), pause).unref());
  }

  const dirty = new Set<string>();
  function again(workerId: string): void {
    waiting.delete(workerId);
    if (dirty.delete(workerId)) push(workerId);
    else if (chatting.turn(workerId) === undefined) shown.delete(workerId);
  }

  chatting.onChange((workerId, isUrgent) => {
    if (waiting.has(workerId) && !isUrgent) return void dirty.add(workerId);
    clearTimeout(waiting.get(workerId));
    waiting.delete(workerId);
    push(workerId);
  });
}
