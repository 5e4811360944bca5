// What the command line asks of a running daemon. The owner alone may, and by token: a page's cookie does not reach here.
import type { FastifyInstance } from 'fastify';
import { forbidden, invalid, notFound } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import type { Auth } from './auth.ts';
import { allowOnly } from './refusal.ts';

/** One command by its name: JSON in, JSON out; an OrgError is a refusal. */
export type ControlCommands = Record<string, (args: unknown) => Promise<unknown>>;

const BODY_BYTES_MAX = 1_048_576;

/** `POST /control/:command`, with a JSON body or none. */
export function controlRoutes(app: FastifyInstance, { auth, control }: { auth: Auth; control: ControlCommands }): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.post<{ Params: { command: string } }>('/control/:command', {
      bodyLimit: BODY_BYTES_MAX,
      onRequest: async (request) => {
        const { workerId, via } = auth.bearer(request);
        // It would reveal secrets and make tokens, which no tool does, to an agent that reads what strangers wrote.
        if (via !== undefined) throw forbidden(`The token of a ${via} is for tools alone; this takes the owner's own.`);
        if (workerId !== OWNER) throw forbidden(`Only the owner's token opens this; this one is ${workerId}'s.`);
      },
      async handler(request, reply) {
        const { command } = request.params;
        const run = Object.hasOwn(control, command) ? control[command] : undefined;
        if (!run)
          throw notFound(
            `There is no command ${JSON.stringify(command.slice(0, 100))}; the daemon may be of another version.`,
          );
        const result = await run(parse(request.body));
        return reply.type('application/json; charset=utf-8').send(JSON.stringify(result ?? {}));
      },
    });
    allowOnly(scope, '/control/:command', ['POST']);
  });
}

function parse(body: unknown): unknown {
  if (body === undefined || body === '') return {};
  try {
    return JSON.parse(String(body));
  } catch {
    throw invalid('The body is not valid JSON.');
  }
}
