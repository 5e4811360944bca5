// What the daemon and its launcher tell each other, over the channel of messages between a Node process and its child.
import type { ProgramStart } from './start-program.ts';

/** To the launcher: start this. It makes three connections, for stdin, stdout and stderr, each of which begins with its tag. */
export type LaunchOrder = ProgramStart & { id: number; tags: string[] };

/** An error of `spawn`, field by field, since errors do not travel whole. */
export type LaunchError = { message: string; code?: string; errno?: number; syscall?: string };

/** From the launcher: it is ready; it has started what was ordered, or could not; that process has ended. */
export type LaunchNews =
  | { kind: 'ready' }
  /** `stat` is /proc/PID/stat, null where there is none. */
  | { kind: 'started'; id: number; pid: number; stat: string | null }
  | { kind: 'failed'; id: number; error: LaunchError }
  | { kind: 'exited'; id: number; code: number | null; signal: NodeJS.Signals | null };
