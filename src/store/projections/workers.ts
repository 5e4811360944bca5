import type Database from 'better-sqlite3';
import type { GrantEvent } from '../../domain/grant.ts';
import type { SubscriptionEvent } from '../../domain/subscription.ts';
import type { WorkerEvent } from '../../domain/worker.ts';
import type { WorkerAgentEvent } from '../../domain/worker-agent.ts';
import type { Projectors } from '../projections.ts';
import { PAUSED, stoppageRows } from './holds.ts';

type WorkerEventType = (WorkerEvent | WorkerAgentEvent | GrantEvent | SubscriptionEvent)['type'];

export function workerProjectors(sqlite: Database.Database): Projectors<WorkerEventType> {
  const stoppages = stoppageRows(sqlite);
  // The checkpoint starts just below the hire, so that the hire is the first trigger.
  const insert = sqlite.prepare(
    `INSERT INTO workers VALUES
     (@workerId, @kind, @identity, @seq, @positions, @actor, @at, @seq, NULL, NULL, @seq, @seq - 1, NULL, @agent)`,
  );
  const setIdentity = sqlite.prepare(
    'UPDATE workers SET identity = @content, identity_seq = @seq WHERE id = @workerId',
  );
  const setAgent = sqlite.prepare('UPDATE workers SET agent = @agent WHERE id = @workerId');
  const setPositions = sqlite.prepare('UPDATE workers SET positions = @positions WHERE id = @workerId');
  const setPaused = sqlite.prepare('UPDATE workers SET paused_at = @at WHERE id = @workerId');
  const fire = sqlite.prepare(
    "UPDATE workers SET fired_at = @at, positions = '[]', open_batch = NULL WHERE id = @workerId",
  );
  const dropAside = sqlite.prepare(
    "UPDATE set_aside SET state = 'dropped', reason = 'fired', entry_seq = @seq WHERE worker = @workerId",
  );
  const wake = sqlite.prepare('INSERT INTO wakes VALUES (@workerId, @seq)');
  const grant = sqlite.prepare('INSERT INTO grants VALUES (@grantId, @workerId, @tool, @seq)');
  const revoke = sqlite.prepare('DELETE FROM grants WHERE id = @grantId');
  const grantsChanged = sqlite.prepare('UPDATE workers SET grants_seq = @seq WHERE id = @workerId');
  const subscribe = sqlite.prepare('INSERT INTO subscriptions VALUES (@workerId, @streamId, @seq, NULL, @filter)');
  const unsubscribe = sqlite.prepare(
    'UPDATE subscriptions SET to_seq = @seq WHERE worker = @workerId AND stream = @streamId AND to_seq IS NULL',
  );
  return {
    WorkerHired: ({ workerId, kind, identity, positionId, agent = {} }, { seq, at, actor }) => {
      const lists = { positions: JSON.stringify([positionId]), agent: JSON.stringify(agent) };
      insert.run({ workerId, kind, identity, ...lists, seq, at, actor });
      if (kind === 'ai') wake.run({ workerId, seq });
    },
    IdentityUpdated: ({ workerId, content }, { seq }) => setIdentity.run({ workerId, content, seq }),
    WorkerMoved: ({ workerId, positions }) => setPositions.run({ workerId, positions: JSON.stringify(positions) }),
    AgentUpdated: ({ workerId, agent }) => setAgent.run({ workerId, agent: JSON.stringify(agent) }),
    WorkerEmailChanged: () => {}, // Nobody asks for it but the decision state.
    WorkerPaused: ({ workerId }, entry) => {
      setPaused.run({ workerId, at: entry.at });
      stoppages.begin(workerId, PAUSED, 'the Worker is paused', entry);
    },
    WorkerResumed: ({ workerId }, { at }) => {
      setPaused.run({ workerId, at: null });
      stoppages.end(workerId, PAUSED, at);
    },
    WorkerFired: ({ workerId }, { seq, at }) => {
      fire.run({ workerId, at });
      dropAside.run({ workerId, seq });
      stoppages.endAll(workerId, at);
    },
    ActivationRequested: ({ workerId }, { seq }) => wake.run({ workerId, seq }),
    ToolGranted: ({ grantId, workerId, tool }, { seq }) => {
      grant.run({ grantId, workerId, tool, seq });
      grantsChanged.run({ workerId, seq });
    },
    ToolRevoked: ({ grantId, workerId }, { seq }) => {
      revoke.run({ grantId });
      grantsChanged.run({ workerId, seq });
    },
    WorkerSubscribed: ({ workerId, streamId, filter }, { seq }) =>
      subscribe.run({ workerId, streamId, seq, filter: filter && JSON.stringify(filter) }),
    WorkerUnsubscribed: ({ workerId, streamId }, { seq }) => unsubscribe.run({ workerId, streamId, seq }),
  };
}
