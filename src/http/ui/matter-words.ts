// What waits for a person, as one sentence each and with what can be done about it.
import type { Matter, MatterOf } from './attention.ts';
import { streamHref, workerHref } from './links.ts';
import { withCode } from './markdown.ts';
import { type MatterRow, type Row, run, sentenceOf } from './matter-actions.ts';
import { said } from './said-matter.ts';
import { count, moment } from './shown.ts';
import type { Visit } from './visit.ts';

type Deps = Parameters<typeof said>[0];

/** What somebody may do about it is all that they are offered. */
export function matterRow(deps: Deps, visit: Visit, matter: Matter): MatterRow {
  const row = rowOf(deps, visit, matter);
  const actions = (row.actions ?? []).filter((action) => 'href' in action || visit.holds(action.tool));
  return {
    at: matter.at === '' ? undefined : moment(matter.at),
    href: '',
    excerpt: '',
    about: [],
    ...row,
    why: withCode(row.sentence),
    actions,
  };
}

function rowOf(deps: Deps, visit: Visit, matter: Matter): Row {
  switch (matter.kind) {
    case 'org-paused':
      return {
        id: 'org-paused',
        tag: 'Paused',
        tone: 'warm',
        title: 'Everything is paused',
        sentence: 'Events are kept and nobody is woken until the org goes on.',
        actions: [run('Resume all', 'resume_org', [], '')],
      };
    case 'agent':
      return {
        id: matter.hold === '' ? 'agent' : matter.hold.replaceAll(':', '-'),
        tag: 'Agent',
        tone: 'bad',
        title: 'The agent cannot run',
        sentence: `${sentenceOf(matter.problem)} ${matter.fix || 'Nothing is lost: what comes waits, and it is tried again every few minutes.'}`,
        actions: [{ label: 'Its settings', href: settingHref('agent.kind') }],
      };
    case 'stalled':
      return {
        id: 'stalled',
        tag: 'Stalled',
        tone: 'bad',
        title: 'Work waits and nothing moves',
        sentence: sentenceOf(matter.why),
        actions: [{ label: 'See what runs', href: '/ui/activations' }],
      };
    case 'limit':
      return limitRow(matter);
    case 'sending':
      return {
        id: `sending-${matter.streamId}`,
        tag: 'Sending stopped',
        tone: 'bad',
        title: `${matter.streamId} sends nothing any more`,
        href: streamHref(matter.streamId),
        sentence: `What it should send waits: ${sentenceOf(matter.reason)}`,
        actions: [
          run('Send again', 'retry', [['id', matter.streamId]], ''),
          { label: 'Settings of the Stream', href: streamHref(matter.streamId) },
        ],
      };
    case 'worker-paused':
      return {
        id: `paused-${matter.workerId}`,
        tag: 'Paused',
        tone: 'waiting',
        title: `${matter.workerId} is paused`,
        href: workerHref(matter.workerId),
        sentence: 'What arrives for it waits until somebody lets it go on.',
        actions: [run('Resume', 'resume_worker', [['workerId', matter.workerId]], '')],
      };
    case 'paced':
      return {
        id: `paced-${matter.workerId}`,
        tag: 'Over a limit',
        tone: 'warm',
        title: `${matter.workerId} publishes faster than it may`,
        href: workerHref(matter.workerId),
        sentence: `${count(matter.seqs.length, 'Event waits', 'Events wait')} for their turn and go on by themselves (dispatch.publish_per_minute).`,
        actions: [
          { label: 'Change the limit', href: settingHref('dispatch.publish_per_minute') },
          run('Pause', 'pause_worker', [['workerId', matter.workerId]], ''),
        ],
      };
    case 'dead':
    case 'leaving':
    case 'event':
    case 'trigger':
    case 'parked':
    case 'expired':
    case 'unanswered':
      return said(deps, visit, matter);
  }
}

function limitRow({ hold, workerId, reason }: MatterOf<'limit'>): Row {
  const name = hold.split(':')[0] ?? '';
  const setting = `dispatch.${workerId === null ? 'org' : 'worker'}_${name}`;
  const pause = workerId === null ? [] : [run('Pause', 'pause_worker', [['workerId', workerId]], '')];
  return {
    id: `limit-${hold.replace(':', '-')}`,
    tag: 'Over a limit',
    tone: 'warm',
    title: workerId === null ? 'The org has reached a limit' : `${workerId} has reached a limit`,
    href: workerId === null ? '' : workerHref(workerId),
    sentence: sentenceOf(reason),
    actions: [{ label: 'Change the limit', href: settingHref(setting) }, ...pause],
  };
}

const settingHref = (key: string): string => `/ui/settings#${key.replaceAll('.', '-')}`;
