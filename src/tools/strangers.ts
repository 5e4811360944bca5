// A warning, not a refusal: whether strangers may steer a Worker that can act on the machine is the owner's decision.
import type { ToolDeps } from './define-tool.ts';

/** Names each Worker that holds tools of its agent program and listens to what anybody outside may write. */
export function strangerWarnings(
  { journal, transports }: Pick<ToolDeps, 'journal' | 'transports'>,
  workerIds: readonly string[],
): string[] {
  const { org } = journal;
  return workerIds.flatMap((workerId) => {
    const powers = [...(org.grants.get(workerId)?.keys() ?? [])].filter((tool) => tool.startsWith('agent:'));
    if (powers.length === 0) return [];
    const outside = [...(org.subscribed.get(workerId) ?? [])].filter((streamId) => {
      const stream = org.streams.get(streamId);
      return stream !== undefined && transports.get(stream.transport.kind)?.describeInbound !== undefined;
    });
    if (outside.length === 0) return [];
    return [
      `${workerId} holds ${powers.join(', ')} and listens to ${outside.join(', ')}, where strangers write: what they write may ` +
        'talk it into using it. Give such tools to a Worker that hears only colleagues, or keep the agent in a sandbox (agent.wrap).',
    ];
  });
}
