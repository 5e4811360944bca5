// Where things are shown. The only place that knows the paths.

export const workerHref = (id: string): string => `/ui/org/workers/${encodeURIComponent(id)}`;
export const positionHref = (id: string): string => `/ui/org/positions/${encodeURIComponent(id)}`;
export const roleHref = (id: string): string => `/ui/org/roles/${encodeURIComponent(id)}`;
export const streamHref = (id: string): string => `/ui/streams?id=${encodeURIComponent(id)}`;
/** A line of a transcript has no page of its own. */
export const eventHref = (streamId: string, eventId: string): string =>
  /^s-(activations|chat)-/.test(streamId) ? streamHref(streamId) : `/ui/events/${encodeURIComponent(eventId)}`;
export const activationHref = (id: string): string => `/ui/activations/${encodeURIComponent(id)}`;

/** The page of whatever an id names, or undefined for what has none. */
export function hrefOf(id: string): string | undefined {
  const show = { w: workerHref, p: positionHref, r: roleHref, s: streamHref, a: activationHref }[id.slice(0, 1)];
  return id[1] === '-' ? show?.(id) : undefined;
}
