// Every request gets an id, which its answer and every line of the log about it bear; and each is counted when it is answered.
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type LogContext, withLogContext } from '../store/log-context.ts';
import type { Log } from './refusal.ts';

/** A request that was answered. */
export type Answered = {
  /** The pattern, such as `/workers/:id/mcp`; `none` where no route was meant. Never what a client made up. */
  route: string;
  method: string;
  status: number;
  /** Until the answer was on its way. */
  seconds: number;
};

export type RequestLogDeps = { log: Log; onAnswered?(answered: Answered): void };

export function noteRequests(app: FastifyInstance, { log, onAnswered }: RequestLogDeps): void {
  const contexts = new WeakMap<FastifyRequest, LogContext>();
  app.addHook('onRequest', (request, reply, done) => {
    const context = { requestId: randomUUID() };
    contexts.set(request, context);
    reply.header('x-request-id', context.requestId);
    withLogContext(context, done);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const answered = { route, method: request.method, status: reply.statusCode, seconds: reply.elapsedTime / 1_000 };
    onAnswered?.(answered);
    const ms = Math.round(reply.elapsedTime);
    log.debug?.({ ...contexts.get(request), method: answered.method, route, status: answered.status, ms }, 'answered');
    done();
  });
}
