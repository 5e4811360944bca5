// How a command reaches the data: through the daemon that has them, or itself, under the lock.
import type { ControlName } from './control.ts';
import type { Core } from './core.ts';
import type { DataPaths } from './data-dir.ts';
import { daemonOrLock } from './running-daemon.ts';

/** Where a daemon will answer by default; what is prepared without one says so until a daemon corrects it. */
const USUAL_URL = 'http://127.0.0.1:8080';

/** Runs a control function wherever the data are. @throws OrgError with the refusal */
export async function askControl(
  paths: DataPaths,
  name: ControlName,
  args: Record<string, unknown> = {},
): Promise<unknown> {
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) return holder.daemon.control(name, args);
  const { createControl } = await import('./control.ts');
  return withLocked(holder.lock, paths, (core) => createControl({ core })[name](args));
}

/** Opens the data without a daemon, and closes them. */
export async function withLocked<T>(
  lock: { release(): void },
  paths: DataPaths,
  work: (core: Core) => Promise<T>,
): Promise<T> {
  try {
    const { openCore } = await import('./core.ts');
    const core = openCore({ paths, url: () => USUAL_URL, publicUrl: () => USUAL_URL });
    try {
      return await work(core);
    } finally {
      core.close();
    }
  } finally {
    lock.release();
  }
}
