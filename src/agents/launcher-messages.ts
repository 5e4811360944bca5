// What the daemon and its launcher tell each other, over the channel of messages between a Node process and its child.
import type { ProcessIdentity } from '../domain/agent.ts';
import type { ProgramStart } from './start-program.ts';

/** To the launcher: start this, with the far ends of three new connections, named by the token, as its stdin, stdout and stderr. */
export type LaunchOrder = ProgramStart & { id: number; token: string };

/** An error of `spawn`, field by field, since errors do not travel whole. */
export type LaunchError = { message: string; code?: string; errno?: number; syscall?: string; path?: string };

/** From the launcher: it is ready; it has started what was ordered, or could not; that process has ended. */
export type LaunchNews =
  | { kind: 'ready' }
  | { kind: 'started'; id: number; root: ProcessIdentity }
  | { kind: 'failed'; id: number; error: LaunchError }
  | { kind: 'exited'; id: number; code: number | null; signal: NodeJS.Signals | null };

/** Characters of a token. */
export const TOKEN_LENGTH = 32;

/** A connection begins with its token and then one of these, for the stream that it is. */
export const STREAMS = ['0', '1', '2'] as const;
