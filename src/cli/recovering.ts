// After a crash: what it cut off is ended and recorded before anybody is woken.
import { stopActivationProcesses } from '../agents/process-tree.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { type RecoveryDeps, recover } from '../dispatch/recovery.ts';
import type { Log } from '../http/refusal.ts';

export type RecoveringDeps = Omit<RecoveryDeps, 'stopProcesses'> & {
  dispatcher: Pick<Dispatcher, 'start'>;
  recoverChats(): Promise<void>;
  log: Pick<Log, 'error'> & { warn(fields: object, text: string): void };
  after(delayMs: number, callback: () => void): () => void;
  isStopping(): boolean;
};

const RETRY_MS = 5_000;

/** Nobody is woken before what a crash left behind is stopped and recorded. */
export async function recoverThenStart(deps: RecoveringDeps): Promise<void> {
  const { dispatcher, recoverChats, log, after, isStopping } = deps;
  const stopProcesses = (activationId: string, root?: { pid: number; startedAt: string }) =>
    stopActivationProcesses({ activationId, ...(root ? { root } : {}) });
  while (!isStopping()) {
    try {
      const [cutOff] = await Promise.all([recover({ ...deps, stopProcesses }), recoverChats()]);
      if (cutOff.length > 0) log.warn({ activations: cutOff }, 'what was cut off comes again');
      if (!isStopping()) dispatcher.start();
      return;
    } catch (error) {
      if (isStopping()) return;
      // As when the disk is full: nobody runs until it worked, and that must not need a restart.
      log.error({ err: error }, 'the recovery failed and is tried again; no Worker runs until then');
      await new Promise<void>((resolve) => void after(RETRY_MS, resolve));
    }
  }
}
