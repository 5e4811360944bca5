// Why work is held although nobody paused anything: a limit that was reached, an agent that does not work. One fact when it
// begins, which posts the one notice, and one when it ends; so a restart finds it as it was and says nothing twice.
import { postNotice } from './event.ts';
import type { Context, DomainEvent, Org } from './org.ts';

type Notice = { subject: string; body: string };

export type HoldCommand =
  | { type: 'HoldWork'; hold: string; workerId: string | null; kinds?: string[]; reason: string; notice?: Notice }
  | { type: 'ResumeWork'; hold: string; notice?: Notice };

/**
 * `hold` names what holds whom, such as `runs_per_hour:w-ann`; `workerId` is null when it holds everybody, or with `kinds`
 * those for whom one of these kinds of agent was chosen; the kind '' stands for no choice.
 */
export type HoldEvent =
  | { type: 'WorkHeld'; hold: string; workerId: string | null; kinds?: string[]; reason: string }
  | { type: 'WorkResumed'; hold: string; workerId: string | null; kinds?: string[] };

type Hold = Extract<HoldCommand, { type: 'HoldWork' }>;

/** Nothing is recorded, and nobody told, of what is held already. */
export function holdWork(org: Org, { hold, workerId, kinds, reason, notice }: Hold, context: Context): DomainEvent[] {
  if (org.holds.has(hold) || (workerId !== null && org.workers.get(workerId)?.firedAt !== null)) return [];
  const begun: DomainEvent = { type: 'WorkHeld', hold, workerId, ...(kinds ? { kinds } : {}), reason };
  return notice ? [begun, postNotice(org, context, 1, notice)] : [begun];
}

export function resumeWork(
  org: Org,
  { hold, notice }: Extract<HoldCommand, { type: 'ResumeWork' }>,
  context: Context,
): DomainEvent[] {
  const held = org.holds.get(hold);
  if (!held) return [];
  const { workerId, kinds } = held;
  const resumed: DomainEvent = { type: 'WorkResumed', hold, workerId, ...(kinds ? { kinds } : {}) };
  return notice ? [resumed, postNotice(org, context, 1, notice)] : [resumed];
}
