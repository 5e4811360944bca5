import type Database from 'better-sqlite3';
import type { FoundingEvent } from '../../domain/founding.ts';
import type { PositionEvent } from '../../domain/position.ts';
import type { RoleEvent } from '../../domain/role.ts';
import type { StreamEvent } from '../../domain/stream.ts';
import type { Projectors } from '../projections.ts';
import { PAUSED, stoppageRows, WHOLE_ORG } from './holds.ts';

type OrgEventType = (RoleEvent | PositionEvent | StreamEvent | FoundingEvent)['type'];

export function orgProjectors(sqlite: Database.Database): Projectors<OrgEventType> {
  const stoppages = stoppageRows(sqlite);
  const insertRole = sqlite.prepare('INSERT INTO roles VALUES (@roleId, @content, @seq, @at, @at)');
  const updateRole = sqlite.prepare(
    'UPDATE roles SET content = @content, seq = @seq, updated_at = @at WHERE id = @roleId',
  );
  const deleteRole = sqlite.prepare('DELETE FROM roles WHERE id = ?');
  const insertPosition = sqlite.prepare('INSERT INTO positions VALUES (@positionId, @roleId, @parentId)');
  const updatePosition = sqlite.prepare(
    'UPDATE positions SET role_id = @roleId, parent_id = @parentId WHERE id = @positionId',
  );
  const deletePosition = sqlite.prepare('DELETE FROM positions WHERE id = ?');
  const insertStream = sqlite.prepare(
    `INSERT INTO streams VALUES
     (@streamId, @name, @description, @kind, @config, @purpose, @members, @private, @hold, @batch, @actor, @at, NULL, 0, 0)`,
  );
  const updateStream = sqlite.prepare(
    `UPDATE streams SET name = @name, description = @description, transport_kind = @kind, transport_config = @config,
     private = @private, hold = @hold, batch = @batch WHERE id = @streamId`,
  );
  const deleteStream = sqlite.prepare('UPDATE streams SET deleted_at = @at WHERE id = @streamId');
  const dropAside = sqlite.prepare(
    `UPDATE set_aside SET state = 'dropped', reason = 'its Stream was deleted', entry_seq = @seq
     WHERE state IN ('held', 'parked', 'requeued') AND (SELECT stream FROM journal j WHERE j.seq = set_aside.seq) = @streamId`,
  );
  return {
    OrgPaused: (_, entry) => stoppages.begin(WHOLE_ORG, PAUSED, 'the org is paused', entry),
    OrgResumed: (_, { at }) => stoppages.end(WHOLE_ORG, PAUSED, at),
    RoleCreated: ({ roleId, content }, { seq, at }) => insertRole.run({ roleId, content, seq, at }),
    RoleUpdated: ({ roleId, content }, { seq, at }) => updateRole.run({ roleId, content, seq, at }),
    RoleDeleted: ({ roleId }) => deleteRole.run(roleId),
    PositionCreated: ({ positionId, roleId, parentId }) => insertPosition.run({ positionId, roleId, parentId }),
    PositionUpdated: ({ positionId, roleId, parentId }) => updatePosition.run({ positionId, roleId, parentId }),
    PositionDeleted: ({ positionId }) => deletePosition.run(positionId),
    StreamCreated: (event, { actor, at }) =>
      insertStream.run({
        ...streamColumns(event),
        purpose: event.purpose,
        members: JSON.stringify(event.members),
        actor,
        at,
      }),
    StreamUpdated: (event) => updateStream.run(streamColumns(event)),
    StreamDeleted: ({ streamId }, { seq, at }) => {
      deleteStream.run({ streamId, at });
      dropAside.run({ streamId, seq });
    },
  };
}

function streamColumns(event: Extract<StreamEvent, { type: 'StreamCreated' | 'StreamUpdated' }>) {
  const { streamId, name, description, transport, batch } = event;
  const config = JSON.stringify(transport.config);
  return {
    streamId,
    name,
    description,
    kind: transport.kind,
    config,
    private: event.private ? 1 : 0,
    hold: event.hold ? 1 : 0,
    batch,
  };
}
