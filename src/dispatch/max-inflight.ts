import { freemem } from 'node:os';
import type { Settings } from '../store/settings.ts';

const MEMORY_PER_RUN = 400 * 1_048_576;
const FEWEST = 4;
const MOST = 16;

/** How many activations may run at once: as set, else by the memory that is free now. */
export function maxInflight(settings: Pick<Settings, 'get'>): number {
  return (
    settings.get('dispatch.max_inflight') ?? Math.min(MOST, Math.max(FEWEST, Math.floor(freemem() / MEMORY_PER_RUN)))
  );
}
