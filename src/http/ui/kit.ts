// How a page is made: `page` answers a GET with the whole page, or with its partial alone when htmx asks; `form` takes a POST
// and leads on to a page. Both only for somebody who is signed in. docs/pages.md tells how to add one.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OrgError } from '../../domain/errors.ts';
import type { ToolDoor } from '../../tools/call-tool.ts';
import { allowOnly, Refusal } from '../refusal.ts';
import { createFlashes, type Flashes } from './flash.ts';
import {
  type Fields,
  fieldsOf,
  foreignForm,
  type Outcome,
  pathBack,
  refusedFlash,
  refuseForeign,
  writtenIn,
} from './forms.ts';
import { draftsOf, type FrameDeps, frameOf, type Section, themeOf } from './frame.ts';
import type { Pages } from './pages.ts';
import { isFragment, isOwnForm, type Visit, type VisitDeps, visitOf } from './visit.ts';

/** A page and the partial of it that a fragment request gets, both filled with `data`. */
export type View = {
  title: string;
  section?: Section;
  /** Of templates/pages. */
  page: string;
  /** Of templates/partials; without one, a fragment request gets the whole page. */
  partial?: string;
  /** What the page wants to hear about while it is open. */
  topics?: string[];
  data: object;
  status?: number;
};

export type Ui = {
  /** @param path below /ui */
  page(path: string, show: (visit: Visit) => View | Promise<View>): void;
  /** On a path of its own. An OrgError thrown by it becomes a flash on the page that the form names as `back`. */
  form(path: string, act: (visit: Visit, fields: Fields) => Outcome | Promise<Outcome>): void;
  /** A form that is answered with something other than a way on. */
  answer(path: string, act: (visit: Visit, fields: Fields, reply: FastifyReply) => unknown): void;
  /** Anything else that is for people who are signed in. */
  raw(path: string, answer: (visit: Visit, reply: FastifyReply) => unknown): void;
  pages: Pages;
};

export type KitDeps = VisitDeps & FrameDeps & { pages: Pages; door: ToolDoor };

/** @param scope has the prefix /ui and takes forms */
export function createUi(scope: FastifyInstance, deps: KitDeps): Ui {
  const { pages } = deps;
  const flashes = createFlashes();

  function signedIn(answer: (visit: Visit, reply: FastifyReply) => unknown) {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const visit = visitOf(request, deps);
      return visit ? answer(visit, reply) : signedOut(pages, request, reply);
    };
  }

  scope.setErrorHandler((error, request, reply) => {
    const visit = visitOf(request, deps);
    if (!(error instanceof OrgError || error instanceof Refusal) || !visit || visit.isFragment) throw error;
    const status = error instanceof Refusal ? error.status : STATUS[error.code];
    return problem(deps, visit, reply, { status, sentence: error.message });
  });
  scope.setNotFoundHandler((request, reply) => {
    const visit = visitOf(request, deps);
    const sentence = 'There is no such page here. Perhaps it was renamed, or the link is incomplete.';
    return visit
      ? problem(deps, visit, reply, { status: 404, sentence })
      : pages.send(reply, 404, 'signed-out', { heading: 'Nothing here', sentence, theme: themeOf({ request }) });
  });

  function post(path: string, act: (visit: Visit, fields: Fields, reply: FastifyReply) => unknown): void {
    const checked = signedIn((visit, reply) => {
      const fields = fieldsOf(visit.request.body);
      if (!isOwnForm(visit, fields.get('csrf'))) throw foreignForm();
      return act(visit, fields, reply);
    });
    scope.post(path, { onRequest: refuseForeign }, checked);
    allowOnly(scope, path, ['POST']);
  }

  return {
    pages,
    page(path, show) {
      scope.get(
        path,
        signedIn(async (visit, reply) => {
          const view = await show(visit);
          return visit.isFragment && view.partial !== undefined
            ? sendFragment(deps, flashes, visit, reply, { name: view.partial, data: view.data })
            : sendPage(deps, flashes, visit, reply, view);
        }),
      );
      allowOnly(scope, path, ['GET']);
    },
    form(path, act) {
      post(path, async (visit, fields, reply) => {
        const { to, flash } = await outcomeOf(act, visit, fields);
        if (flash) flashes.add(visit.credential.id, flash);
        return reply.redirect(to, 303);
      });
    },
    answer: post,
    raw(path, answer) {
      scope.get(path, signedIn(answer));
      allowOnly(scope, path, ['GET']);
    },
  };
}

const STATUS = { invalid: 400, not_found: 404, conflict: 409, forbidden: 403 } as const;

function sendPage(deps: KitDeps, flashes: Flashes, visit: Visit, reply: FastifyReply, view: View): FastifyReply {
  const { title, section, page, topics = [], data, status = 200 } = view;
  const said = flashes.take(visit.credential.id);
  const frame = frameOf(deps, visit, { title, section, topics, flashes: said });
  return deps.pages.send(reply, status, page, { ...data, frame });
}

/** What a form has to say goes along when the fragment is the answer to it; a live refresh leaves it for the page. */
function sendFragment(
  deps: Pick<KitDeps, 'pages'>,
  flashes: Flashes,
  visit: Visit,
  reply: FastifyReply,
  partial: { name: string; data: object },
): FastifyReply {
  const source = visit.request.headers['hx-source'];
  const isAnswer = typeof source === 'string' && /^(form|button)\b/.test(source);
  const said = isAnswer ? flashes.take(visit.credential.id) : [];
  const frame = { csrf: visit.csrf, drafts: draftsOf(said) };
  const html = deps.pages.render(partial.name, { ...partial.data, frame });
  const news = said.length > 0 ? deps.pages.render('flashes-news', { flashes: said }) : '';
  return deps.pages.sendFragment(reply, html + news);
}

async function outcomeOf(
  act: (visit: Visit, fields: Fields) => Outcome | Promise<Outcome>,
  visit: Visit,
  fields: Fields,
): Promise<Outcome> {
  try {
    return await act(visit, fields);
  } catch (error) {
    if (!(error instanceof OrgError)) throw error;
    return { to: pathBack(fields.get('back')), flash: refusedFlash(error.message, fields) };
  }
}

/** A page that says what is wrong, within the frame, so that one can go on from there. */
function problem(
  deps: KitDeps,
  visit: Visit,
  reply: FastifyReply,
  { status, sentence }: { status: number; sentence: string },
): FastifyReply {
  const heading = status === 404 ? 'Nothing here' : 'That did not work';
  const frame = frameOf(deps, visit, { title: heading, topics: [], flashes: [] });
  const written = writtenIn(visit.request.body);
  return deps.pages.send(reply, status, 'problem', { frame, heading, sentence, written });
}

/** What somebody without a session sees instead of a page; of a fragment they get nothing, and the page is loaded anew. */
function signedOut(pages: Pages, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isFragment(request)) return reply.code(401).header('hx-refresh', 'true').send();
  return pages.send(reply, 401, 'signed-out', {
    heading: 'You are not signed in',
    sentence: 'These pages are for the people of this org.',
    written: writtenIn(request.body),
    // Where somebody wanted to go, they are led once they are signed in.
    to: request.method === 'GET' ? request.url : '',
    theme: themeOf({ request }),
  });
}
