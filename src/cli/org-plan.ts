// What it takes to make an organisation as a document says: calls of tools in an order in which each of them is allowed. They
// are tried on a copy of the decision state, so that what would be refused is known before anything is changed.
import { decide } from '../domain/decide.ts';
import { OrgError } from '../domain/errors.ts';
import { evolve } from '../domain/evolve.ts';
import { eventId, OWNER } from '../domain/ids.ts';
import type { Command, Org } from '../domain/org.ts';
import { transportInfo } from '../http/transport-info.ts';
import { toolNames } from '../tools/catalog.ts';
import type { TransportInfo } from '../tools/define-tool.ts';
import { transports } from '../transports/catalog.ts';
import type { Core } from './core.ts';
import { describeOrg, type OrgDocument } from './org-document.ts';
import type { Where } from './org-folder-read.ts';
import { planPositions, planRoles } from './plan-chart.ts';
import { planStreams } from './plan-streams.ts';
import { planWorkers } from './plan-workers.ts';

/** One call of a tool by the owner, and what it changes, in words. */
export type Step = { tool: string; args: Record<string, unknown>; says: string; where: Where };

/** A step with what it asks of the organisation. */
export type Trial = Step & { command: Command };

export type Plan = {
  steps: Step[];
  /** What there is that the document does not name; it stays. */
  leaves: string[];
  /** Why nothing can be done, and where that stands. */
  problem?: { where: Where; message: string };
};

/** What planning needs: how things are, how they shall be, and what transports make of their config. */
export type Planning = {
  now: OrgDocument;
  wanted: OrgDocument;
  transports: ReadonlyMap<string, TransportInfo>;
};

/** Compares what there is with a document. Nothing is changed. */
export function planOrg(core: Pick<Core, 'journal' | 'queries' | 'settings'>, wanted: OrgDocument): Plan {
  const planning: Planning = { now: describeOrg(core).document, wanted, transports: configs() };
  const trials: Trial[] = [];
  const leaves: string[] = [];
  let at: Where = [];
  const org = structuredClone(core.journal.org);
  try {
    for (const part of [planRoles, planPositions, planStreams, planWorkers]) {
      for (const trial of part(planning, leaves, (where) => {
        at = where;
      })) {
        at = trial.where;
        attempt(org, trial.command);
        trials.push(trial);
      }
    }
  } catch (error) {
    if (!(error instanceof OrgError)) throw error;
    return { steps: [], leaves: [], problem: { where: at, message: error.message } };
  }
  return { steps: trials.map(({ command: _, ...step }) => step), leaves };
}

/** Configs are checked without looking at accounts or addresses. */
function configs(): ReadonlyMap<string, TransportInfo> {
  const nowhere = () => 'http://localhost';
  return new Map(
    [...transports].map(([kind, transport]) => [kind, transportInfo(transport, nowhere, () => undefined)]),
  );
}

function attempt(org: Org, command: Command): void {
  const at = new Date().toISOString();
  // Nothing that is tried here asks when something else happened.
  const seq = 1;
  const events = decide(org, command, {
    actor: OWNER,
    seq,
    at,
    hops: 0,
    root: seq,
    limits: { maxHops: 0 },
    tools: toolNames,
    eventId: (each) => eventId(each, new Uint8Array(10)),
    routes: () => [],
  });
  for (const event of events) evolve(org, event, { seq, actor: OWNER, at, root: seq });
}
