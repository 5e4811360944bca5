import { chatStreamId } from './ids.ts';
import type { DomainEvent, Org } from './org.ts';
import { requireWorker } from './worker.ts';

export type ChatCommand = { type: 'OpenChat'; workerId: string };

/** The Stream that a person's chat is written to, made with its first message; nobody is woken by it. */
export function openChat(org: Org, workerId: string): DomainEvent[] {
  requireWorker(org, workerId);
  const streamId = chatStreamId(workerId);
  if (org.streams.has(streamId)) return [];
  const name = `Chat: ${workerId}`;
  return [
    {
      type: 'StreamCreated',
      streamId,
      name: org.streamNames.has(name) ? `${name} (${streamId})` : name,
      description: `What ${workerId} and its agent said to each other.`,
      transport: { kind: 'local', config: {} },
      purpose: 'chat',
      members: [workerId],
      private: true,
      hold: false,
      batch: 'stream',
    },
  ];
}
