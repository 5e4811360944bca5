import type { Org } from '../../domain/org.ts';
import type { Queries } from '../../store/queries.ts';
import type { Visit } from './visit.ts';

/** More than this is "many". */
const COUNTED_MAX = 100;

/** How many things wait for a person, as far as this one may act on them. */
export function attentionCount(
  org: Org,
  queries: Pick<Queries, 'setAside' | 'outboundAttention'>,
  { isOwner }: Visit,
): number {
  if (!isOwner) return 0;
  const parked = queries.setAside('parked', COUNTED_MAX).length;
  const held = queries.setAside('held', COUNTED_MAX).length;
  const outbound = queries.outboundAttention(COUNTED_MAX).length;
  return Math.min(COUNTED_MAX, org.heldEvents.size + parked + held + outbound);
}
