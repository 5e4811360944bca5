import type Database from 'better-sqlite3';
import type { ActivationEvent, OpenBatch } from '../../domain/activation.ts';
import type { Projectors } from '../projections.ts';

/** Why a trigger is shown again: a person let it go, and no limit counts for it any more; or the daemon did. */
export const BY_HAND = 'by hand';
export const BY_ITSELF = 'by itself';

export function activationProjectors(sqlite: Database.Database): Projectors<ActivationEvent['type']> {
  const start = sqlite.prepare(
    `INSERT INTO activations VALUES (@activationId, @workerId, @seq, 'running', @attempt, @triggers, @agent, @ranWith,
     @root, @hops, @at, NULL, NULL, NULL, NULL, NULL, NULL)`,
  );
  const trigger = sqlite.prepare('INSERT INTO activation_triggers VALUES (@trigger, @seq)');
  const end = sqlite.prepare(
    `UPDATE activations SET state = @outcome, ended_at = @at, ended_seq = @seq, exit = @exit, published = @published,
     changed = @changed, usage = @usage WHERE id = @activationId`,
  );
  const checkpoint = sqlite.prepare(
    'UPDATE workers SET checkpoint = max(checkpoint, @throughSeq), open_batch = @open WHERE id = @workerId AND fired_at IS NULL',
  );
  const settled = sqlite.prepare(
    "DELETE FROM set_aside WHERE worker = @workerId AND seq = @trigger AND state = 'requeued'",
  );
  const setAside = sqlite.prepare(
    'INSERT OR REPLACE INTO set_aside VALUES (@workerId, @trigger, @state, @reason, @seq)',
  );
  const openBatch = sqlite.prepare('SELECT open_batch FROM workers WHERE id = ?').pluck();
  const setOpenBatch = sqlite.prepare('UPDATE workers SET open_batch = @open WHERE id = @workerId');
  /** What is set aside is not shown again with the batch it belonged to. */
  const takeOut = (workerId: string, triggers: number[]) => {
    const text = openBatch.get(workerId) as string | null | undefined;
    if (!text) return;
    const open = JSON.parse(text) as OpenBatch;
    const left = open.triggers.filter((seq) => !triggers.includes(seq));
    if (left.length === open.triggers.length) return;
    setOpenBatch.run({ workerId, open: left.length > 0 ? JSON.stringify({ ...open, triggers: left }) : null });
  };
  const aside = (workerId: string, triggers: number[], state: string, reason: string, seq: number) => {
    for (const trigger of triggers) setAside.run({ workerId, trigger, state, reason, seq });
  };
  return {
    ActivationStarted: (event, { seq, at, root, hops }) => {
      const { activationId, workerId, attempt } = event;
      const [triggers, agent, ranWith] = [event.triggers, event.agent, event.ranWith].map((value) =>
        JSON.stringify(value),
      );
      start.run({ activationId, workerId, seq, attempt, triggers, agent, ranWith, root, hops, at });
      for (const triggerSeq of event.triggers) trigger.run({ trigger: triggerSeq, seq });
    },
    ActivationEnded: (event, { seq, at }) => {
      const { activationId, workerId, outcome, exit, throughSeq, published, changed } = event;
      end.run({ activationId, outcome, exit, published, changed, usage: JSON.stringify(event.usage), seq, at });
      checkpoint.run({ workerId, throughSeq, open: event.open && JSON.stringify(event.open) });
      for (const triggerSeq of event.settled) settled.run({ workerId, trigger: triggerSeq });
      aside(workerId, event.parked, 'parked', event.exit, seq);
    },
    TriggersHeld: ({ workerId, triggers, reason }, { seq }) => {
      takeOut(workerId, triggers);
      aside(workerId, triggers, 'held', reason, seq);
    },
    TriggersRequeued: ({ workerId, triggers, stillLimited }, { seq }) =>
      aside(workerId, triggers, 'requeued', stillLimited ? BY_ITSELF : BY_HAND, seq),
    TriggersDropped: ({ workerId, triggers, reason }, { seq }) => {
      takeOut(workerId, triggers);
      aside(workerId, triggers, 'dropped', reason, seq);
    },
    TriggersExpired: ({ workerId, triggers, reason }, { seq }) => {
      takeOut(workerId, triggers);
      aside(workerId, triggers, 'expired', reason, seq);
    },
  };
}
