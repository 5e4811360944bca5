/** Through which door a change came. */
export type Via = 'mcp' | 'ui' | 'cli' | 'chat' | 'transport' | 'system';

/**
 * Everything the journal records about an entry besides what happened.
 * `seq` is the only cursor; numbers are shared with transcript lines, never reused, and may have gaps.
 */
export type EntryHeader = {
  seq: number;
  /** Version of the entry type's data. */
  v: number;
  /** The Stream an Event landed on; null for every other entry. */
  stream: string | null;
  /** What the entry is about (a Role, Position, Worker, Stream …); null for Events. */
  subject: string | null;
  /** Who caused it: a Worker id, `transport:<kind>` or `system`. */
  actor: string;
  /** The Worker in whose name a person acted, when it was not their own. */
  onBehalfOf: string | null;
  via: Via;
  /** seq of the entry that led to this one. */
  causedBy: number | null;
  /** seq of the first entry of the causal chain. */
  root: number;
  /** 0 for people and the outside; one more with each AI Worker the chain passed through. */
  hops: number;
  activationId: string | null;
  /** RFC 3339 with milliseconds, UTC. */
  at: string;
};

/**
 * Where in a causal chain a change stands; an activation hands its own to everything it does. A chain that began in another
 * organisation has no entries here.
 */
export type Cause = { causedBy: number | null; root: number | null; hops: number; activationId?: string };

/** Bytes that belong to an entry but can be erased without breaking the chain. */
export type ContentPart = { name: string; bytes: Uint8Array };
