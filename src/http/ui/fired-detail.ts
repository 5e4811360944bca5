// A Worker who was fired: who they were and what they did, for whoever follows a link of the past.
import type { WorkerRow } from '../../store/queries.ts';
import { workerHref } from './links.ts';
import { markdown } from './markdown.ts';
import type { OrgPageDeps } from './org-page.ts';
import { moment } from './shown.ts';
import type { Visit } from './visit.ts';
import { runsOf } from './worker-detail.ts';

export function firedDetail({ queries }: Pick<OrgPageDeps, 'queries'>, visit: Visit, worker: WorkerRow) {
  const { id, kind, hiredBy, hiredAt, firedAt, identity } = worker;
  return {
    partial: 'fired-detail',
    title: id,
    at: '',
    data: {
      fired: {
        id,
        isAi: kind === 'ai',
        at: moment(firedAt ?? ''),
        hiredBy,
        hired: moment(hiredAt),
        identityHtml: markdown(identity),
        ...runsOf({ queries }, visit, id),
        links: [
          ...(kind === 'ai' ? [{ text: 'All of its runs', href: `/ui/activations?worker=${id}` }] : []),
          { text: 'What happened to it', href: `/ui/journal?about=${id}` },
          { text: 'Who it was, over time', href: `${workerHref(id)}/history` },
        ],
      },
    },
  };
}
