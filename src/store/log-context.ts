// On whose behalf something is done, for the log: it follows a request, or a run, through everything that is awaited.
import { AsyncLocalStorage } from 'node:async_hooks';

/** What every line of the log says, where it is known. */
export type LogContext = { requestId?: string; activationId?: string; workerId?: string };

const storage = new AsyncLocalStorage<LogContext>();

/** What is known here; it may be added to. */
export const logContext = (): LogContext | undefined => storage.getStore();

export const withLogContext = <T>(context: LogContext, work: () => T): T => storage.run(context, work);

/** For what is done for everybody at once, and would else be taken for the doing of whoever came first. */
export const withoutLogContext = <T>(work: () => T): T => storage.exit(work);
