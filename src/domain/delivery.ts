// How an Event leaves: the contract between the courier, which knows when and how often, and the transports, which know how.
import type { ContentPart } from './entry.ts';
import type { Message } from './message.ts';
import type { Org } from './org.ts';

/** An Event that is to leave. */
export type Outbound<Config> = {
  /** The same on every attempt, and nobody else's: receivers tell repeats by it. */
  deliveryId: string;
  eventId: string;
  streamId: string;
  streamName: string;
  /** Of the Stream; empty when this is a copy for a Worker. */
  config: Config;
  /** Set on a copy that goes to one Worker instead of the Stream's own target. */
  recipient?: string;
  /** That Worker's mail address, as it is now. */
  address?: string;
  /** The Stream's own secrets, newest first. */
  secrets: string[];
  message: Message;
  /** The Message as it is stored. */
  bytes: Uint8Array;
  /** Bytes kept beside the Message, by name, such as `attachment-1`. */
  parts: ReadonlyMap<string, Uint8Array>;
  /** Of the Event: how many AI Workers its chain passed through, and the first entry of that chain. */
  hops: number;
  root: number;
  /** Who published. */
  from: string;
  at: Date;
};

/** What a transport delivers with. */
export type DeliveryTools = {
  /** What the transport's setting holds, read now. */
  account: unknown;
  /** Aborted when the time for this attempt is over or the daemon stops. */
  signal: AbortSignal;
  /** A key of the daemon's own, such as that of reply addresses; made when it is first asked for. */
  key(name: string): string;
  /** When this attempt is made. */
  now: Date;
  /** Sends a request to an address that was checked when it was connected to; follows no redirect. */
  request: OutboundRequest;
};

/** @throws when no answer came; an answer with a refusing status is returned, not thrown */
export type OutboundRequest = (
  url: string,
  request: { method: string; headers: Record<string, string>; body: Uint8Array | string; signal: AbortSignal },
) => Promise<{ status: number; headers: Record<string, string>; body: string }>;

/** That a message is out: ids by which its answers and bounces will be recognised, such as an RFC Message-ID. */
export type Receipt = { messageId?: string; detail?: string };

/** How an attempt to deliver failed. Anything else that is thrown is tried again. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure';
  /** `retry`: later; `refused`: never with this message; `gone`: the target is no more, so the Stream stops sending. */
  readonly what: 'retry' | 'refused' | 'gone';
  /** The target's own wish for when to come again. */
  readonly retryAfterMs: number | undefined;

  constructor(what: 'retry' | 'refused' | 'gone', message: string, retryAfterMs?: number) {
    super(message);
    this.what = what;
    this.retryAfterMs = retryAfterMs;
  }
}

/** How Events go out. */
export type Deliverer<Config> = {
  /** How long one attempt may take. */
  attemptMs: number;
  /**
   * The line an Event waits in: Events of one line of a Stream leave in their order. Asked when the Event is published, inside
   * its transaction: pure and quick. @returns instead, why this Event does not leave, when the publisher should know;
   * undefined when the Stream sends nothing at all
   */
  lane(message: Message, config: Config): { lane: string } | { stays: string } | undefined;
  /** @throws DeliveryFailure, or anything else to be tried again */
  deliver(outbound: Outbound<Config>, tools: DeliveryTools): Promise<Receipt>;
};

/** One way out of an Event: the transport that carries it, the line it waits in, and whom it is for when it is a copy. */
export type Route = { kind: string; lane: string; recipient?: string };

/** Where an Event goes when a Worker or the daemon publishes it. Asked inside its transaction: pure and quick. */
export type Routing = (org: Org, published: { streamId: string; actor: string; content: ContentPart[] }) => Route[];
