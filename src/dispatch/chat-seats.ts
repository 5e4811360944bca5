// Chats at terminals: while one goes on in a session, neither the page nor another terminal speaks in it, since two programs
// would write one record.
import { conflict } from '../domain/errors.ts';
import type { Conversation } from '../store/chats.ts';

export type ChatSeat = {
  /** Names the terminal's credential. */
  tokenId: string;
  workerId: string;
  /** undefined while its person chooses one there: then it may be any. */
  session?: string | undefined;
};

export type ChatSeats = {
  /** The terminal is there; it says so again while it is, or is forgotten. */
  take(seat: ChatSeat): void;
  release(tokenId: string): void;
  /** Whether a terminal is in this conversation. */
  isTaken(conversation: Pick<Conversation, 'worker' | 'session'>): boolean;
  /** @throws OrgError conflict when a terminal is in it */
  requireFree(conversation: Pick<Conversation, 'worker' | 'session'>): void;
  /** Told of each Worker whose terminals changed. */
  onChange(listener: (workerId: string) => void): void;
};

/** A terminal says every minute that it is there; one that was killed says nothing. */
const FORGOTTEN_AFTER_MS = 150_000;

export function createChatSeats(after: (delayMs: number, callback: () => void) => () => void): ChatSeats {
  const seats = new Map<string, ChatSeat & { cancel(): void }>();
  const listeners: ((workerId: string) => void)[] = [];

  function release(tokenId: string): void {
    const seat = seats.get(tokenId);
    if (!seat) return;
    seat.cancel();
    seats.delete(tokenId);
    for (const listener of listeners) listener(seat.workerId);
  }

  const isTaken: ChatSeats['isTaken'] = ({ worker, session }) =>
    session !== null &&
    [...seats.values()].some((seat) => seat.workerId === worker && (seat.session ?? session) === session);

  return {
    take(seat) {
      const before = seats.get(seat.tokenId);
      before?.cancel();
      seats.set(seat.tokenId, { ...seat, cancel: after(FORGOTTEN_AFTER_MS, () => release(seat.tokenId)) });
      if (!before) for (const listener of listeners) listener(seat.workerId);
    },
    release,
    isTaken,
    requireFree(conversation) {
      if (isTaken(conversation)) throw conflict(AT_TERMINAL);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** What the page says about a conversation that a terminal is in. */
export const AT_TERMINAL =
  'This conversation goes on at a terminal. Write there, end the chat there, or begin a new chat here.';
