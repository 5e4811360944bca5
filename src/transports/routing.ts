import type { Routing } from '../domain/delivery.ts';
import { messageOf } from '../domain/message.ts';
import type { Transport } from './transport.ts';

/** Sends Events of a Stream that takes part in the outside by the Stream's own transport. */
export function createRouting(transports: ReadonlyMap<string, Transport>): Routing {
  return (org, { streamId, content }) => {
    const stream = org.streams.get(streamId);
    if (!stream || (stream.purpose !== 'open' && stream.purpose !== 'notices')) return [];
    const { kind, config } = stream.transport;
    const send = transports.get(kind)?.send;
    const way = send?.lane(messageOf(content), config);
    return way && 'lane' in way ? [{ kind, lane: way.lane }] : [];
  };
}
