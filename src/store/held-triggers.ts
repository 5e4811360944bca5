import type { Db } from './database.ts';

/** A trigger that is held for one Worker, and the chain it belongs to. */
export type HeldTrigger = { workerId: string; seq: number; root: number };

const MOST = 5_000;

/** Those that were held first, up to a number. */
export function createHeldTriggers({ sqlite }: Db): () => HeldTrigger[] {
  const held = sqlite.prepare(
    `SELECT a.worker AS workerId, a.seq AS seq, j.root AS root FROM set_aside a JOIN journal j ON j.seq = a.seq
     WHERE a.state = 'held' ORDER BY a.entry_seq LIMIT ${MOST}`,
  );
  return () => held.all() as HeldTrigger[];
}
