// What watches over a daemon asks: whether it lives, whether it can take work, and its figures.
import type { FastifyInstance } from 'fastify';
import { forbidden } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import type { Journal } from '../store/journal.ts';
import type { Auth } from './auth.ts';
import { allowOnly, Refusal } from './refusal.ts';

export type ProbeDeps = {
  auth: Auth;
  journal: Pick<Journal, 'org'>;
  /** The daemon is on its way out and takes no new work. */
  isStopping(): boolean;
  /** Why it cannot take work, in a few words; undefined when it can. */
  notReady?(): string | undefined;
  /** The figures as text; absent where nobody counts. */
  figures?(): Promise<{ type: string; text: string }>;
};

/** With this tool a Worker sees the runs of others, and so may see how many there are. */
const FIGURES_TOOL = 'list_activations';

export function probeRoutes(app: FastifyInstance, deps: ProbeDeps): void {
  const { isStopping, notReady = () => undefined } = deps;
  const config = { reach: 'anywhere' } as const;
  app.get('/healthz', { config }, async (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', { config }, async (_request, reply) => {
    const problem = isStopping() ? 'stopping' : notReady();
    return reply
      .code(problem === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${problem ?? 'ready'}\n`);
  });
  for (const path of ['/healthz', '/readyz']) allowOnly(app, path, ['GET'], config);
  metricsRoute(app, deps);
}

/** A token is asked for on loopback too: behind a proxy on this machine, everybody comes from there. */
function metricsRoute(app: FastifyInstance, { auth, journal, figures }: ProbeDeps): void {
  app.get('/metrics', async (request, reply) => {
    const { workerId } = auth.either(request);
    if (workerId !== OWNER && journal.org.grants.get(workerId)?.has(FIGURES_TOOL) !== true)
      throw forbidden(`The figures are for the owner and for Workers that hold ${FIGURES_TOOL}; ${workerId} does not.`);
    if (!figures) throw new Refusal(503, 'Nothing is counted here.');
    const { type, text } = await figures();
    return reply.header('cache-control', 'no-store').type(type).send(text);
  });
  allowOnly(app, '/metrics', ['GET']);
}
