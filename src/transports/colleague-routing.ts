import { mailedColleagues } from '../domain/colleague.ts';
import type { Routing } from '../domain/delivery.ts';
import { messageOf } from '../domain/message.ts';

/**
 * Adds to where an Event goes the people it is for who get mail.
 * @param isSetUp whether mail can be sent at all
 */
export function withColleagues(routing: Routing, isSetUp: () => boolean): Routing {
  return (org, published) => {
    const routes = routing(org, published);
    if (!isSetUp()) return routes;
    const { streamId, actor, content } = published;
    const colleagues = mailedColleagues(org, { streamId, actor, message: messageOf(content) });
    return [...routes, ...colleagues.map((recipient) => ({ kind: 'email', lane: `mail of ${recipient}`, recipient }))];
  };
}
