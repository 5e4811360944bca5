// What an org needs before it works, and how far it is: looked at anew whenever the page is.
import type { AgentCheck } from '../../domain/agent.ts';
import { withCode } from './markdown.ts';
import type { OrgPageDeps } from './org-page.ts';

export type Check = { name: string; isDone: boolean; text: string };

/** `html` is its text, with what is to be typed marked. */
export type ShownCheck = Check & { html: string };

type Deps = Pick<OrgPageDeps, 'queries' | 'settings' | 'checkAgent' | 'publicUrl'>;

/** A page does not wait longer for what the agent has to say about itself. */
const AGENT_MS = 80;

export async function checklistOf({ queries, settings, checkAgent, publicUrl }: Deps): Promise<ShownCheck[]> {
  const checking = checkAgent().catch((): AgentCheck => ({ ok: false, problem: 'It could not be asked.', fix: '' }));
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, AGENT_MS, undefined).unref());
  const agent = await Promise.race([checking, late]);
  const kind = settings.get('agent.kind');
  const workers = queries.workers().filter((worker) => worker.kind === 'ai');
  const outside = queries.streams().filter(({ transportKind }) => transportKind !== 'local');
  const url = publicUrl();
  const checks = [
    agentCheck(kind, agent),
    accountCheck(kind, agent),
    isLocal(url)
      ? {
          name: 'Public URL',
          isDone: false,
          text: `Only this machine reaches ${url}. That is enough to try things; to let mail or GitHub in, start it with \`--public-url\`.`,
        }
      : { name: 'Public URL', isDone: true, text: `The outside reaches it at ${url}.` },
    {
      name: 'First Worker',
      isDone: workers.length > 0,
      text:
        workers.length > 0
          ? `${workers.map(({ id }) => id).join(', ')}.`
          : 'Nobody works here yet. One of the three below is a good beginning.',
    },
    {
      name: 'First transport',
      isDone: outside.length > 0,
      text: outside.length > 0 ? `${outside.map(({ id }) => id).join(', ')}.` : 'No Stream reaches outside yet.',
    },
  ];
  return checks.map((check) => ({ ...check, html: withCode(check.text) }));
}

function agentCheck(kind: string, agent: AgentCheck | undefined): Check {
  const name = 'Agent';
  if (!agent) return { name, isDone: false, text: `${kind} is being asked; open the page again in a moment.` };
  if (!agent.ok) return { name, isDone: false, text: `${kind}: ${agent.problem} ${agent.fix}`.trim() };
  return { name, isDone: true, text: `${kind}${agent.version ? ` ${agent.version}` : ''} is there and ready.` };
}

/** Whose money runs cost. An agent that knows says so. */
function accountCheck(kind: string, agent: AgentCheck | undefined): Check {
  const name = 'Account';
  if (!agent?.ok) return { name, isDone: false, text: 'Known once the agent is found and logged in.' };
  if (agent.account) return { name, isDone: true, text: agent.account };
  return kind === 'command'
    ? { name, isDone: true, text: 'A program of your own: it costs what it calls, and says so or not.' }
    : { name, isDone: true, text: `${kind} does not say whose account pays.` };
}

const isLocal = (url: string): boolean => /^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
