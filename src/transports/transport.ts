import type { z } from 'zod';
import type { ContentPart } from '../domain/entry.ts';

/** An inbound request as it came: nothing decoded, nothing trusted. */
export type RawRequest = {
  method: string;
  /** Path below the transport's own, without the query. */
  path: string;
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
  content: ContentPart[];
  /** The provider's id of this delivery, by which a repeat is recognised. */
  delivery?: { key: string; ownKey: boolean };
};

/**
 * Translates between one provider and Message. Knows nothing of the journal, the dispatcher or retries: `receive` is pure,
 * and throws an OrgError for what it refuses.
 */
export type Transport<Config extends z.ZodType = z.ZodType> = {
  kind: string;
  config: Config;
  /** Why such a Stream cannot be published to, for kinds that only receive. */
  inboundOnly?: string;
  receive?: {
    /** Largest body in bytes; larger ones are answered 413. */
    bodyBytesMax: number;
    handle(request: RawRequest, stream: TransportStream<z.output<Config>>): Inbound;
  };
};
