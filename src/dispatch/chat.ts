// Chats of people with their agents. Each person is in one conversation, however many pages show it. Its agent process is
// started by a message, never by looking; it stays between messages, is ended when nobody says anything for a while, and goes on
// by its session afterwards. States of a person's slot: nothing runs; a turn begins (the process starts or is there); a turn
// runs; the process waits for the next message. A process that is going away is waited for before the next one starts.
import { randomUUID } from 'node:crypto';
import type { ChatLaunch, ChatProblem, ChatProcess, StartChatProcess } from '../domain/chat-agent.ts';
import { conflict, invalid, notFound } from '../domain/errors.ts';
import { chatStreamId } from '../domain/ids.ts';
import type { Chats, Conversation } from '../store/chats.ts';
import type { Journal } from '../store/journal.ts';
import type { Settings } from '../store/settings.ts';
import { youLine } from './chat-lines.ts';
import type { ChatSeats } from './chat-seats.ts';
import { createTurn, ENDED_FIX, START_FIX, type Turn, writeLines } from './chat-turn.ts';

/** Who chats: `onBehalfOf` is the Worker in whose place somebody else does. */
export type ChatPerson = { workerId: string; onBehalfOf?: string };

export type Chatting = {
  /** The conversation a person is in; undefined before the first. */
  current(workerId: string): Conversation | undefined;
  /** The answer that comes now. */
  turn(workerId: string): Turn | undefined;
  /**
   * Takes a message: it is on disk when this resolves, and the answer comes by itself.
   * @throws OrgError invalid when it is too long or a command of it lacks something, conflict while an answer comes or at a terminal
   */
  say(person: ChatPerson, text: string): Promise<void>;
  /** Ends the answer that comes now. */
  stop(workerId: string): void;
  /** The next message begins a new conversation. */
  startNew(workerId: string): void;
  /** Goes on in an earlier one. @throws OrgError not_found */
  open(workerId: string, conversationId: string): void;
  /** Somebody talks in its session elsewhere: an agent that waits for a message ends, since it would know nothing of that. */
  stepBack(workerId: string): void;
  /** Told whenever what a page shows has changed; `isUrgent` when somebody waits for just that. */
  onChange(listener: (workerId: string, isUrgent: boolean) => void): void;
  close(): Promise<void>;
};

export type ChattingDeps = {
  journal: Pick<Journal, 'org' | 'transcribe' | 'flush' | 'commit'>;
  chats: Chats;
  seats: Pick<ChatSeats, 'requireFree' | 'onChange'>;
  settings: Pick<Settings, 'get'>;
  start: StartChatProcess;
  /** How the person's agent is started now, or why it cannot be. */
  launch(person: ChatPerson, session: string | undefined): Promise<ChatLaunch | ChatProblem>;
  /** What the agent is told for what was typed. @throws OrgError invalid */
  expand(workerId: string, text: string): string;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

type Slot = {
  turn?: Turn | undefined;
  process?: ChatProcess | undefined;
  /** In which the process is. */
  conversationId?: string;
  /** Starts one after the other, also when a stop came in between. */
  starting: Promise<unknown>;
  /** The last process, until it is gone. */
  ending: Promise<unknown>;
  cancelIdle(): void;
};
export const MESSAGE_BYTES_MAX = 65_536;
const TITLE_MAX = 80;
const STOP_PATIENCE_MS = 3_000;

export function createChatting(deps: ChattingDeps): Chatting {
  const { journal, chats, settings, now, after } = deps;
  const slots = new Map<string, Slot>();
  const listeners = new Set<(workerId: string, isUrgent: boolean) => void>();
  let isClosing = false;
  const changed = (workerId: string, isUrgent = false) => {
    for (const listener of listeners) listener(workerId, isUrgent);
  };
  deps.seats.onChange((workerId) => changed(workerId, true));

  function slotOf(workerId: string): Slot {
    const slot = slots.get(workerId) ?? { starting: Promise.resolve(), ending: Promise.resolve(), cancelIdle() {} };
    slots.set(workerId, slot);
    return slot;
  }

  function create(worker: string): Conversation {
    const at = now().toISOString();
    const made = { id: `c-${randomUUID()}`, worker, title: '', session: null, model: null, costUsd: 0 };
    const conversation = { ...made, startedAt: at, openedAt: at, lastAt: at, unfinished: null };
    chats.add(conversation);
    return conversation;
  }

  async function openStream({ workerId, onBehalfOf }: ChatPerson): Promise<void> {
    if (journal.org.streams.has(chatStreamId(workerId))) return;
    const who = onBehalfOf ? { onBehalfOf } : {};
    await journal.commit(workerId, { type: 'OpenChat', workerId }, { via: 'chat', ...who });
  }

  function begin(slot: Slot, conversation: Conversation): Turn {
    const { worker } = conversation;
    const turn = createTurn(
      {
        ...deps,
        onChange: (isFirst) => changed(worker, isFirst),
        onOver() {
          slot.turn = undefined;
          rest(slot);
          changed(worker);
        },
      },
      conversation,
    );
    slot.turn = turn;
    return turn;
  }

  function rest(slot: Slot): void {
    slot.cancelIdle();
    slot.cancelIdle = after(settings.get('chat.idle_seconds') * 1_000, () => {
      if (!slot.turn) letGo(slot);
    });
  }

  function letGo(slot: Slot): void {
    const { process } = slot;
    slot.process = undefined;
    slot.cancelIdle();
    if (process) slot.ending = process.stop();
  }

  async function processFor(slot: Slot, turn: Turn, person: ChatPerson): Promise<ChatProcess | undefined> {
    const { conversationId } = turn;
    if (turn.isOver) return undefined;
    if (slot.process?.hasEnded === false && slot.conversationId === conversationId) return slot.process;
    letGo(slot);
    await slot.ending;
    const launch = await deps.launch(person, chats.find(conversationId)?.session ?? undefined);
    if ('sentence' in launch) return void turn.end({ state: 'failed', problem: launch });
    if (turn.isOver || isClosing) return void launch.release();
    // A process outlives its turn: it talks to whichever turn is under way.
    const process = await deps.start(launch, conversationId, (talk) => {
      if (slot.turn?.conversationId === conversationId) slot.turn.take(talk);
    });
    slot.process = process;
    slot.conversationId = conversationId;
    void process.gone.then(({ exit, complaint }) => {
      if (slot.process !== process) return;
      slot.process = undefined;
      const problem = { sentence: `The agent ended in the middle: ${complaint || exit}.`, fix: ENDED_FIX };
      const isStopped = slot.turn?.isStopping === true;
      slot.turn?.end(isStopped ? { state: 'stopped' } : { state: 'failed', problem });
    });
    return process;
  }

  async function answer(slot: Slot, turn: Turn, person: ChatPerson, sent: string): Promise<void> {
    try {
      const started = slot.starting.then(() => processFor(slot, turn, person));
      slot.starting = started.catch(() => {});
      const process = await started;
      if (turn.isOver) return;
      process?.say(sent);
    } catch (error) {
      const problem = { sentence: `The agent could not be started: ${(error as Error).message}`, fix: START_FIX };
      turn.end({ state: 'failed', problem });
    }
  }

  function stopTurn(slot: Slot): void {
    const { turn, process } = slot;
    if (!turn) return;
    turn.askToStop();
    if (!process) return turn.end({ state: 'stopped' });
    process.interrupt();
    after(STOP_PATIENCE_MS, () => {
      if (turn.isOver) return;
      turn.end({ state: 'stopped' });
      letGo(slot);
    });
  }

  /** Leaves the conversation a person is in. */
  function leave(workerId: string): void {
    const slot = slotOf(workerId);
    slot.turn?.end({ state: 'stopped' });
    letGo(slot);
  }

  return {
    current: (workerId) => chats.current(workerId),
    turn: (workerId) => slots.get(workerId)?.turn,
    async say(person, typed) {
      const { workerId } = person;
      const text = typed.trim();
      if (Buffer.byteLength(text) > MESSAGE_BYTES_MAX)
        throw invalid('A message has at most 64 KiB; put what is longer into a file or a Stream, and name it.');
      if (isClosing) throw conflict('The daemon is stopping; send it again in a moment.');
      const slot = slotOf(workerId);
      if (slot.turn) throw conflict('The answer before is still coming; stop it, or wait for its end.');
      const sent = deps.expand(workerId, text);
      const conversation = chats.current(workerId) ?? create(workerId);
      deps.seats.requireFree(conversation);
      const turn = begin(slot, conversation);
      slot.cancelIdle();
      try {
        await openStream(person);
        await writeLines(deps, conversation, [youLine(text, sent)]);
      } catch (error) {
        slot.turn = undefined;
        throw error;
      }
      const title = conversation.title || text.replace(/\s+/g, ' ').slice(0, TITLE_MAX).toWellFormed();
      chats.change(conversation.id, { title, lastAt: now().toISOString(), unfinished: '' });
      void answer(slot, turn, person, sent);
      // The agent has it first; rendering would hold it up.
      setImmediate(() => changed(workerId, true));
    },
    stop: (workerId) => stopTurn(slotOf(workerId)),
    startNew(workerId) {
      leave(workerId);
      if (chats.current(workerId)?.title !== '') create(workerId);
      changed(workerId);
    },
    open(workerId, conversationId) {
      if (chats.find(conversationId)?.worker !== workerId)
        throw notFound('There is no such conversation; choose one of the list.');
      if (chats.current(workerId)?.id === conversationId) return;
      leave(workerId);
      chats.change(conversationId, { openedAt: now().toISOString() });
      changed(workerId);
    },
    stepBack(workerId) {
      const slot = slotOf(workerId);
      if (!slot.turn) letGo(slot);
      changed(workerId);
    },
    onChange: (listener) => void listeners.add(listener),
    async close() {
      isClosing = true;
      for (const slot of slots.values()) {
        if (slot.turn) slot.turn.take({ kind: 'remark', text: 'The daemon was stopped in the middle of this answer.' });
        slot.turn?.end({ state: 'cut off' });
        letGo(slot);
      }
      await Promise.all([...slots.values()].map(({ ending }) => ending));
    },
  };
}
