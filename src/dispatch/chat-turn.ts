// One message and the answer to it: what the agent says becomes lines, the letters it is at stay in memory until they are one.
import type { ChatProblem, ChatTalk } from '../domain/chat-agent.ts';
import type { Chats, Conversation } from '../store/chats.ts';
import type { Journal } from '../store/journal.ts';
import { type ChatLine, callLine, endLine, remarkLine, resultLine, saidLine, type TurnEnd } from './chat-lines.ts';

export type Turn = {
  readonly conversationId: string;
  /** What was said since the last line. */
  readonly growing: string;
  readonly isStopping: boolean;
  readonly isOver: boolean;
  take(talk: ChatTalk): void;
  /** Its person wants no more of it. */
  askToStop(): void;
  /** Ends it for good, once: what was said so far is kept. */
  end(end: Pick<TurnEnd, 'state' | 'problem'>): void;
};

export type TurnDeps = {
  journal: Pick<Journal, 'transcribe' | 'flush'>;
  chats: Chats;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
  /** A line was added, or letters of the next one; `isFirst` for the first of a text. */
  onChange(isFirst: boolean): void;
  onOver(end: TurnEnd): void;
};

export const ENDED_FIX = 'Send another message: it goes on in the same session.';
export const START_FIX = 'Check what `helix-org agent` says, then send your message again.';

/** What is said is kept this often, so that a crash of the daemon takes no more than this of it. */
const KEPT_EVERY_MS = 1_000;

const FORGOTTEN = /no conversation found/i;
const FORGOTTEN_TEXT =
  'The agent no longer has its own record of this conversation; it begins anew with your next message, without what is above.';

/** Writes lines of a conversation; they are on disk when it resolves. */
export async function writeLines(
  { journal, now }: Pick<TurnDeps, 'journal' | 'now'>,
  { id, worker }: Pick<Conversation, 'id' | 'worker'>,
  lines: ChatLine[],
): Promise<void> {
  const at = now().toISOString();
  journal.transcribe(lines.map((line) => ({ worker, activationId: id, at, ...line, isChat: true as const })));
  await journal.flush();
}

export function createTurn(deps: TurnDeps, conversation: Conversation): Turn {
  const { chats, now, after, onChange, onOver } = deps;
  const { id } = conversation;
  const startedAt = now().getTime();
  let growing = '';
  let stopKeeping: (() => void) | undefined;
  let isStopping = false;
  let isOver = false;

  function add(...lines: ChatLine[]): void {
    void writeLines(deps, conversation, lines);
    onChange(false);
  }

  function settle(): ChatLine[] {
    const said = growing.trim() === '' ? [] : [saidLine(growing)];
    growing = '';
    return said;
  }

  function grow(text: string): void {
    const isFirst = growing === '';
    growing += text;
    // By a timer, since a pause may follow: the last letters before it are kept as well.
    stopKeeping ??= after(KEPT_EVERY_MS, () => {
      stopKeeping = undefined;
      chats.change(id, { unfinished: growing });
    });
    onChange(isFirst);
  }

  function end(how: TurnEnd): void {
    if (isOver) return;
    isOver = true;
    stopKeeping?.();
    const isForgotten = how.problem !== undefined && FORGOTTEN.test(how.problem.sentence);
    // The agent's own record of the session is gone; ours is not.
    if (isForgotten) chats.change(id, { session: null });
    const remarks = isForgotten ? [remarkLine(FORGOTTEN_TEXT)] : [];
    const { model, costUsd = 0 } = how;
    const told: TurnEnd = { ...how, ms: now().getTime() - startedAt };
    add(...settle(), ...remarks, endLine(told));
    const cost = (chats.find(id)?.costUsd ?? 0) + costUsd;
    const lastAt = now().toISOString();
    chats.change(id, { unfinished: null, lastAt, costUsd: cost, ...(model ? { model } : {}) });
    onOver(told);
  }

  return {
    conversationId: id,
    get growing() {
      return growing;
    },
    get isStopping() {
      return isStopping;
    },
    get isOver() {
      return isOver;
    },
    take(talk) {
      if (isOver) return;
      switch (talk.kind) {
        case 'began':
          return chats.change(id, { session: talk.session, ...(talk.model ? { model: talk.model } : {}) });
        case 'piece':
          return grow(talk.text);
        case 'said':
          growing = '';
          chats.change(id, { unfinished: '' });
          return add(saidLine(talk.text));
        case 'call':
          return add(...settle(), callLine(talk.id, talk.name, talk.input));
        case 'result':
          return add(resultLine(talk.id, talk.isError, talk.content));
        case 'remark':
          return add(...settle(), remarkLine(talk.text));
        case 'ended': {
          const { kind: _, session, problem, ...used } = talk;
          if (session) chats.change(id, { session });
          if (isStopping) return end({ state: 'stopped', ...used });
          return end({ ...used, ...failed(problem) });
        }
      }
    },
    askToStop() {
      isStopping = true;
      onChange(false);
    },
    end,
  };
}

const failed = (problem?: ChatProblem): Pick<TurnEnd, 'state' | 'problem'> =>
  problem ? { state: 'failed', problem } : { state: 'done' };
