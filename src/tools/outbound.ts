// How what leaves is shown: one way for event_status, publish, get_stream.
import { type Message, messageOf } from '../domain/message.ts';
import type { DeliveryRow } from '../store/deliveries.ts';
import type { Entry } from '../store/entries.ts';
import type { ToolContext } from './define-tool.ts';

/** What publishing leads to outside: `queued` also when it leaves by several ways of which one is held. */
export function outboundOf(entries: readonly Entry[]): 'queued' | 'held' | null {
  const departures = entries.flatMap(({ event }) => (event.type === 'EventPublished' ? (event.outbound ?? []) : []));
  if (departures.length === 0) return null;
  if (entries.some(({ event }) => event.type === 'EventHeld')) return 'held';
  return departures.every(({ held }) => held !== undefined) ? 'held' : 'queued';
}

/** Why nothing leaves, or when: for whoever publishes. */
export function outboundWarnings(context: ToolContext, streamId: string, entries: readonly Entry[]): string[] {
  const [content] = entries.flatMap(({ event }) => (event.type === 'EventPublished' ? [event.content] : []));
  return content ? stayingWarnings(context, streamId, messageOf(content), outboundOf(entries) !== null) : [];
}

/** The same for a Message. @param leaves whether it has a way out */
export function stayingWarnings(
  { journal, transports }: Pick<ToolContext, 'journal' | 'transports'>,
  streamId: string,
  message: Message,
  leaves: boolean,
): string[] {
  const stream = journal.org.streams.get(streamId);
  if (!stream) return [];
  if (leaves) {
    return stream.sendingStopped === null
      ? []
      : [
          `Nothing leaves ${streamId}: ${stream.sendingStopped}. It waits until a person resumes sending, see get_stream.`,
        ];
  }
  const way = transports.get(stream.transport.kind)?.way?.(message, stream.transport.config);
  return way && 'stays' in way ? [`It does not leave: ${way.stays}`] : [];
}

/** Where each delivery of an Event stands; `delivering` and `retrying` are queued ones, `disabled` ones that may not go. */
export function showDelivery({ journal, lifecycle }: ToolContext, row: DeliveryRow) {
  const { reason, attempts, lastError } = row;
  const stopped = journal.org.streams.get(row.stream)?.sendingStopped ?? null;
  return {
    deliveryId: row.id,
    ...(row.recipient === null ? {} : { recipient: row.recipient }),
    ...stateOf(row, { stopped, isDelivering: lifecycle.isDelivering(row.id), isOrgPaused: journal.org.paused }),
    ...(attempts > 0 ? { attempts } : {}),
    ...(lastError !== null ? { lastError } : {}),
    ...(reason !== '' && row.state === 'dead' ? { reason } : {}),
  };
}

type Around = { stopped: string | null; isDelivering: boolean; isOrgPaused: boolean };

function stateOf(
  row: DeliveryRow,
  { stopped, isDelivering, isOrgPaused }: Around,
): { state: string; [field: string]: string } {
  switch (row.state) {
    case 'delivered':
      return {
        state: 'delivered',
        at: row.at,
        ...(row.messageId === null ? {} : { messageId: row.messageId }),
        ...(row.detail === null ? {} : { receipt: row.detail }),
      };
    case 'queued':
      if (isDelivering) return { state: 'delivering' };
      if (stopped !== null) return { state: 'disabled', reason: `${stopped}; retry or update_stream resumes sending` };
      if (isOrgPaused) return { state: 'queued', reason: 'the org is paused' };
      if (row.attempts > 0) return { state: 'retrying', ...(row.nextAt === null ? {} : { nextAt: row.nextAt }) };
      return { state: 'queued' };
    case 'paused':
      return { state: 'queued', reason: row.reason };
    case 'held':
    case 'stopped':
      return { state: 'held', reason: row.reason };
    case 'dead':
      return { state: 'dead', at: row.at };
    case 'discarded':
      return { state: 'discarded', at: row.at, reason: row.reason };
  }
}

/** How sending from a Stream goes. */
export function outboundHealth({ journal, queries }: ToolContext, streamId: string) {
  const { lastDeliveredAt, lastFailure, ...counts } = queries.outboundHealth(streamId);
  const stopped = journal.org.streams.get(streamId)?.sendingStopped ?? null;
  return {
    state: stopped !== null ? 'disabled' : lastFailure?.at === null ? 'retrying' : 'ok',
    ...(stopped === null
      ? {}
      : { reason: `${stopped}; retry with the Stream's id, or update_stream, resumes sending` }),
    ...counts,
    ...(lastDeliveredAt === null ? {} : { lastDeliveredAt }),
    ...(lastFailure === null ? {} : { lastFailure: lastFailure.reason }),
  };
}
