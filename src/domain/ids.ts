import { invalid } from './errors.ts';

/** Prefix of each kind of id a caller may choose: Role, Position, Worker, Stream, Grant. */
export type IdPrefix = 'r' | 'p' | 'w' | 's' | 'g';

const nouns: Record<IdPrefix, string> = { r: 'Role', p: 'Position', w: 'Worker', s: 'Stream', g: 'Grant' };

/** What an id supplied by a caller looks like; paths are made of them, so nothing else may pass. */
export const ID_PATTERN = /^[a-z]-[a-z0-9][a-z0-9_-]{0,45}$/;

/** Ids the daemon derives from others may be longer than supplied ones. */
const DERIVED_ID_PATTERN = /^[a-z]-[a-z0-9][a-z0-9_-]{0,200}$/;

export const OWNER = 'w-owner';
export const OWNER_ROLE = 'r-owner';
export const ROOT_POSITION = 'p-root';
export const NOTICES = 's-notices';

/** @throws OrgError invalid when the id does not have the given prefix and the shape of {@link ID_PATTERN}. */
export function checkId(prefix: IdPrefix, id: string): void {
  if (id.startsWith(`${prefix}-`) && ID_PATTERN.test(id)) return;
  throw invalid(
    `${JSON.stringify(id.slice(0, 80))} is not a ${nouns[prefix]} id: use ${prefix}- followed by 1 to 46 lower-case letters, ` +
      'digits, dashes or underscores, beginning with a letter or digit.',
  );
}

/** Whether this could be the id of anything here; a guard before an id becomes part of a path. */
export const isSafeId = (id: string): boolean => DERIVED_ID_PATTERN.test(id);

export const activationStreamId = (workerId: string): string => `s-activations-${workerId}`;

export const chatStreamId = (workerId: string): string => `s-chat-${workerId}`;

/** The usual id of the Stream between two Workers; ambiguous for ids with dashes, so the recorded pair decides. */
export const dmStreamId = (a: string, b: string): string => `s-dm-${[a, b].sort().join('-')}`;

/**
 * An Event's id carries its seq: `e-` and a UUID of version 8 (RFC 9562 §5.8) whose first 48 bits are the seq and whose
 * other free bits are random. So an Event is found by its id without an index of random keys.
 * @param random at least 10 random bytes
 */
export function eventId(seq: number, random: Uint8Array): string {
  const hex = seq.toString(16).padStart(12, '0') + Buffer.from(random.subarray(0, 10)).toString('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `e-${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The seq that an Event's id carries, or undefined when this is no such id. The entry found there must still bear the id. */
export function seqOfEventId(id: string): number | undefined {
  const match = /^e-([0-9a-f]{8})-([0-9a-f]{4})-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(id);
  return match ? Number.parseInt(`${match[1]}${match[2]}`, 16) : undefined;
}
