import type { z } from 'zod';
import type { Deliverer } from '../domain/delivery.ts';
import type { ContentPart } from '../domain/entry.ts';
import type { OrgErrorCode } from '../domain/errors.ts';
import type { Schedule } from '../domain/schedule.ts';

/** An inbound request as it came: nothing decoded, nothing trusted. */
export type RawRequest = {
  method: string;
  /** Without the query. */
  path: string;
  /** What follows the `?`; empty when nothing does. */
  query: string;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  body: Uint8Array;
  /** When it came. */
  at: Date;
};

/** A Stream as a transport sees it. */
export type TransportStream<Config> = {
  id: string;
  config: Config;
  /** Secrets that may have signed a request to this Stream; two are valid while one replaces the other. */
  secrets: string[];
};

/** What a request becomes on one Stream. */
export type Inbound = {
  streamId: string;
  /** The Message, and what is kept beside it. */
  content: ContentPart[];
  /** The id of this delivery, by which a repeat is recognised. */
  delivery?: {
    /** Whose ids these are; equal keys of different providers are different deliveries. */
    provider: string;
    key: string;
    /** The sender chose the key itself, so another body under it is a mistake to be refused. */
    ownKey: boolean;
  };
  /**
   * Set when this was caused by an AI Worker, ours or another organisation's, and comes back: it counts as one hop further
   * than what caused it. Claims can only raise the number of hops, so a forged one harms none but its own Event.
   */
  origin?: {
    /** Hops of what caused it, as far as the request says. */
    hops?: number;
    /** The Event of ours that caused it; ids that are not ours are passed over. */
    eventId?: string;
    /** A mark that our wrappers left; one that we did not sign is passed over. */
    mark?: string;
    /** What the provider has to be asked in order to know the mark, see `recall`. */
    reference?: string;
  };
  /** Why it is recorded but wakes nobody. */
  quiet?: string;
  /** How it belongs to what we sent, where that may tell more than the request does. */
  ties?: Ties;
};

/** By what an answer, a report or our own message coming back is recognised. */
export type Ties = {
  /** The Event for which it was sent, when it is our own message. */
  ours?: string;
  /** Events of ours that it answers, with the ids it names them by, nearest last. */
  answers: { eventId: string; messageId: string }[];
  /** The Event of ours on which it reports: it lands on that Event's Stream. */
  reportOn?: string;
  /** Whether it says it comes from an address of ours. */
  fromUs: boolean;
  /** The sender's address. */
  sender: string;
  /** What was written, without the text it quotes. */
  reply: string;
  /** Parts of the address that may be those of a reply to a Worker. */
  tokens: string[];
  /** Set when no Stream is named, and `streamId` is empty: what to answer when the ties lead nowhere either. */
  refusal?: { code: OrgErrorCode; message: string };
};

/** How requests of a provider come in. */
export type Receiver<Config> = {
  /** `/webhooks/:stream` names the Stream; a path without `:stream` is for all Streams of the kind. */
  path: string;
  /** Largest body in bytes; larger ones are answered 413. */
  bodyBytesMax: number;
  /**
   * What lands where. `streams` are those the path stands for, `account` what the transport's setting holds.
   * @throws OrgError forbidden when the request is not proven genuine, invalid when it makes no sense, not_found when no
   *   Stream is meant; Unready when the transport is not set up, so that the provider tries again
   */
  handle(request: RawRequest, streams: TransportStream<Config>[], account: unknown): Inbound[];
  /** Asks the provider for the mark that `origin.reference` leads to; undefined when there is none. It may fail. */
  recall?(reference: string, account: unknown): Promise<string | undefined>;
  /** What a person needs in order to send to a Stream. @param url where it takes requests */
  describe(url: string, config: Config, account: unknown): Record<string, string>;
  /** The answer to an accepted request; without it 200 and what landed. Providers that only look at the status get 204. */
  accepted?: 204;
};

/** The transport lacks its setting: answered 503, so that providers try again. */
export class Unready extends Error {
  override readonly name = 'Unready';
}

/** The setting of a transport, for all its Streams. */
export type AccountSetting = {
  /** `transport.` and the provider's name. */
  key: string;
  schema: z.ZodType;
  /** Top-level fields that are never shown. */
  secret: readonly string[];
  describe: string;
};

/**
 * Translates between one provider and Message. Knows nothing of the journal, the dispatcher or retries; `receive.handle` is
 * pure and `send.deliver` neither retries nor waits.
 */
export type Transport<Config extends z.ZodType = z.ZodType> = {
  kind: string;
  /** Its messages are sentences for whoever makes the Stream. */
  config: Config;
  /** What no other Stream of the kind may share, in words for people, such as its mail alias. */
  address?(config: z.output<Config>): string;
  /** How Events of such a Stream are shown unless the Stream says otherwise; `conversation` where several people write. */
  batch?: 'conversation';
  /** Why such a Stream cannot be published to, for kinds that only receive. */
  inboundOnly?: string;
  /** Whether a Stream of this config has a secret of the daemon's making; left out, when the config says `secret: true`. */
  signs?(config: z.output<Config>): boolean;
  account?: AccountSetting;
  receive?: Receiver<z.output<Config>>;
  send?: Deliverer<z.output<Config>>;
  /** For kinds whose Events come by themselves. */
  schedule?: Schedule<z.output<Config>>;
};
