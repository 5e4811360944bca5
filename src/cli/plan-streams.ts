import { isDeepStrictEqual } from 'node:util';
import { NOTICES } from '../domain/ids.ts';
import { checkTransport } from '../tools/create-stream.ts';
import type { StreamDocument } from './org-document.ts';
import type { Planning, Trial } from './org-plan.ts';
import { type LookAt, unnamed } from './plan-chart.ts';

const FLAGS = ['name', 'description', 'private', 'hold', 'batch'] as const;

export function* planStreams(planning: Planning, leaves: string[], lookAt: LookAt): Iterable<Trial> {
  const { now, wanted } = planning;
  for (const [streamId, stream] of Object.entries(wanted.streams)) {
    const where = ['streams', streamId];
    lookAt([...where, 'transport']);
    const transport = checkTransport(stream.transport, planning);
    const before = now.streams[streamId];
    const fields = {
      ...flagsOf(stream),
      batch: stream.batch ?? planning.transports.get(transport.kind)?.batch ?? 'stream',
    };
    if (!before) {
      yield {
        tool: 'create_stream',
        args: { id: streamId, ...fields, transport: stream.transport },
        says: `stream ${streamId}: new, ${JSON.stringify(stream.name)} through ${transport.kind}`,
        where,
        command: { type: 'CreateStream', streamId, ...fields, transport },
      };
      continue;
    }
    const isSame = isDeepStrictEqual({ kind: transport.kind, config: transport.config }, before.transport);
    const changed = Object.fromEntries(
      FLAGS.filter((name) => fields[name] !== before[name]).map((name) => [name, fields[name]]),
    );
    if (isSame && Object.keys(changed).length === 0) continue;
    const says = [...Object.keys(changed), ...(isSame ? [] : ['transport'])].join(', ');
    yield {
      tool: 'update_stream',
      args: { streamId, ...changed, ...(isSame ? {} : { transport: stream.transport }) },
      says: `stream ${streamId}: ${says}`,
      where,
      command: { type: 'UpdateStream', streamId, ...changed, ...(isSame ? {} : { transport }) },
    };
  }
  leaves.push(...unnamed(now.streams, wanted.streams, 'stream').filter((name) => !name.endsWith(NOTICES)));
}

const flagsOf = ({ name, description, private: closed, hold }: StreamDocument) => ({
  name,
  description,
  private: closed,
  hold,
});
