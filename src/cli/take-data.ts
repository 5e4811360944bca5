import { removeDaemonFile } from './daemon-file.ts';
import { createDataDir, type DataPaths } from './data-dir.ts';
import { lockOrRefuse } from './running-daemon.ts';
import type { Shutdown } from './shutdown.ts';

/** The data directory is ours from here until the shutdown's end. */
export async function takeData(paths: DataPaths, shutdown: Shutdown): Promise<void> {
  createDataDir(paths);
  const lock = await lockOrRefuse(paths);
  shutdown.last('the lock', () => lock.release());
  // What a killed daemon left behind.
  removeDaemonFile(paths.daemonFile);
  shutdown.last('daemon.json', () => removeDaemonFile(paths.daemonFile));
}
