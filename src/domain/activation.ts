import type { ContentPart } from './entry.ts';
import { invalid } from './errors.ts';
import type { DomainEvent, Org } from './org.ts';
import { requireWorker } from './worker.ts';

/** How an activation ended; `lost` means the daemon died and found it gone. */
export type ActivationOutcome = 'done' | 'failed' | 'timed_out' | 'interrupted' | 'lost';

/** Triggers that an activation began with and that must be shown again. */
export type OpenBatch = {
  /** seqs, ascending; the next activation gets exactly these. */
  triggers: number[];
  /** Of the next activation; 1 when the last one did not count. */
  attempt: number;
  /** One activation per trigger, so that only the one that fails is parked. */
  oneByOne: boolean;
  /** Not before this time (RFC 3339). */
  notBefore: string;
  reason: string;
};

export type Usage = { costUsd?: number; inputTokens?: number; outputTokens?: number };

type Started = {
  activationId: string;
  workerId: string;
  /** seqs of the entries it was woken by, ascending. */
  triggers: number[];
  attempt: number;
  agent: { kind: string; version?: string; model?: string };
  /** seqs of the texts and grants it ran with. */
  ranWith: { roles: number[]; identity: number; grants: number };
  /** The prompt. */
  content: ContentPart[];
};

type Ended = {
  activationId: string;
  workerId: string;
  outcome: ActivationOutcome;
  /** What follows `=== exit: ` in the transcript. */
  exit: string;
  /** The Worker's checkpoint from here on. */
  throughSeq: number;
  /** Triggers that are dealt with. */
  settled: number[];
  /** Triggers whose runs failed too often. */
  parked: number[];
  open: OpenBatch | null;
  published: number;
  changed: number;
  usage: Usage;
};

export type ActivationCommand =
  | ({ type: 'StartActivation' } & Started)
  | ({ type: 'EndActivation'; notice?: { subject: string; body: string } } & Ended)
  | {
      type: 'HoldTriggers';
      workerId: string;
      triggers: number[];
      reason: string;
      notice?: { subject: string; body: string };
    }
  | { type: 'RequeueTriggers'; workerId: string; triggers: number[] }
  | { type: 'DropTriggers'; workerId: string; triggers: number[]; reason: string };

export type ActivationEvent =
  | ({ type: 'ActivationStarted' } & Started)
  | ({ type: 'ActivationEnded' } & Ended)
  | { type: 'TriggersHeld'; workerId: string; triggers: number[]; reason: string }
  | { type: 'TriggersRequeued'; workerId: string; triggers: number[] }
  | { type: 'TriggersDropped'; workerId: string; triggers: number[]; reason: string };

export function startActivation(
  org: Org,
  { type: _, ...started }: Extract<ActivationCommand, { type: 'StartActivation' }>,
): DomainEvent[] {
  requireWorker(org, started.workerId);
  if (started.triggers.length === 0) throw invalid('An activation needs at least one trigger.');
  return [{ type: 'ActivationStarted', ...started }];
}

type SetAside = Extract<ActivationEvent, { type: 'TriggersHeld' | 'TriggersRequeued' | 'TriggersDropped' }>;

/** Takes triggers out of the plain order of a Worker's inbox, or puts them back. */
export function setTriggersAside(org: Org, event: SetAside): SetAside[] {
  requireWorker(org, event.workerId);
  return event.triggers.length === 0 ? [] : [event];
}
