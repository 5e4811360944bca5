// What sending will lead to, in sentences, before it is sent.
import type { Message } from '../../domain/message.ts';
import type { Org } from '../../domain/org.ts';
import type { Queries } from '../../store/queries.ts';
import type { ToolDeps } from '../../tools/define-tool.ts';
import { foreseeMessage } from '../../tools/foresee.ts';
import type { Visit } from './visit.ts';

export type ForeseenDeps = {
  journal: ToolDeps['journal'];
  queries: Pick<Queries, 'stoppages'>;
  transportInfos: ToolDeps['transports'];
  stateOf(workerId: string): string;
};

export type Foreseen = { wakes: { id: string; note: string }[]; lines: string[]; warnings: string[] };

const NAMED_MAX = 8;

export function foreseenOf(deps: ForeseenDeps, visit: Visit, streamId: string, message: Message): Foreseen {
  const { journal, transportInfos } = deps;
  const { wakes, keptOut, subscribers, outbound, warnings, isPartial } = foreseeMessage(
    { journal, transports: transportInfos },
    streamId,
    visit.workerId,
    message,
  );
  const named = wakes.slice(0, NAMED_MAX).map((id) => ({ id, note: noteOf(deps, id) }));
  const lines: string[] = [];
  const more = wakes.length - named.length;
  if (more > 0) lines.push(isPartial ? 'And others who listen.' : `And ${more} more.`);
  const people = peopleOn(journal.org, streamId, visit.workerId);
  if (people.length > 0) lines.push(`Read by ${people.slice(0, NAMED_MAX).join(', ')} when they look.`);
  if (keptOut.length > 0) lines.push(`Their filters keep it from ${keptOut.slice(0, NAMED_MAX).join(', ')}.`);
  if (wakes.length === 0 && subscribers > 0 && keptOut.length === 0) lines.push('It wakes nobody.');
  const kind = journal.org.streams.get(streamId)?.transport.kind;
  const noun = kind === 'email' ? 'as mail' : `by ${kind}`;
  if (outbound === 'queued') lines.push(`It leaves ${noun} at once.`);
  if (outbound === 'held') lines.push(`It would leave ${noun}, and is held until somebody releases it.`);
  if (named.some(({ note }) => note !== '') || journal.org.paused)
    lines.push('What a person sends does not expire: whoever cannot run now gets it later.');
  return { wakes: named, lines, warnings };
}

/** Why somebody does not begin at once. */
function noteOf({ journal, queries, stateOf }: ForeseenDeps, id: string): string {
  const worker = journal.org.workers.get(id);
  if (worker?.paused) return 'paused';
  const [stoppage] = queries.stoppages.current(id).filter(({ hold }) => hold !== 'paused');
  if (stoppage) return `held: ${stoppage.reason}`;
  return stateOf(id) === 'running' ? 'at work; reads it next' : '';
}

function peopleOn(org: Org, streamId: string, but: string): string[] {
  return [...(org.subscriptions.get(streamId)?.keys() ?? [])].filter(
    (id) => id !== but && org.workers.get(id)?.kind === 'human',
  );
}
