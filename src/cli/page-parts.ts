// What the pages are told of the daemon they belong to.
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Agent, AgentCheck } from '../domain/agent.ts';
import { OWNER } from '../domain/ids.ts';
import type { AppDeps } from '../http/app.ts';
import type { ToolDeps } from '../tools/define-tool.ts';
import type { Core } from './core.ts';
import { settingRegistry } from './setting-registry.ts';
import { verifyBeside } from './verification.ts';
import { version } from './version.ts';

export type PageParts = Pick<
  AppDeps,
  | 'agentSeen'
  | 'checkAgent'
  | 'facts'
  | 'folderOf'
  | 'publicUrl'
  | 'settingRegistry'
  | 'stalled'
  | 'transportInfos'
  | 'verify'
>;

export type PagePartsDeps = {
  core: Pick<Core, 'paths' | 'db'>;
  toolDeps: Pick<ToolDeps, 'transports' | 'lifecycle'>;
  agent: Pick<Agent, 'kind' | 'check'>;
  dispatcher: Pick<Dispatcher, 'stalled'>;
  url(): string;
  publicUrl(): string;
  startedAt: string;
};

/** Asking the agent may start a process, so one answer serves everybody for this long. */
const AGENT_ANSWER_MS = 10_000;

export function createPageParts({
  core,
  toolDeps,
  agent,
  dispatcher,
  url,
  publicUrl,
  startedAt,
}: PagePartsDeps): PageParts {
  const { paths, db } = core;
  let asked: { at: number; answer: ReturnType<Agent['check']> } | undefined;
  let seen: AgentCheck | undefined;

  async function check(): Promise<AgentCheck> {
    seen = await agent.check();
    return seen;
  }

  function checkAgent(): Promise<AgentCheck> {
    if (!asked || performance.now() - asked.at > AGENT_ANSWER_MS) asked = { at: performance.now(), answer: check() };
    return asked.answer;
  }

  return {
    checkAgent,
    agentSeen() {
      // Whether it was mended meanwhile is known the next time somebody looks.
      if (seen?.ok === false) void checkAgent().catch(() => {});
      return seen;
    },
    stalled: dispatcher.stalled,
    facts: () => [
      { name: 'Version', value: `helix-org ${version}, Node ${process.versions.node}` },
      { name: 'Running since', value: startedAt },
      { name: 'Owner', value: OWNER },
      { name: 'Local address', value: url() },
      { name: 'Public address', value: publicUrl() },
      { name: 'Agent', value: agent.kind },
      { name: 'Data', value: paths.dataDir },
      { name: 'Database', value: paths.db },
      { name: 'Folders', value: paths.envsDir },
    ],
    folderOf: (workerId) => toolDeps.lifecycle.folderOf(workerId),
    publicUrl,
    settingRegistry,
    transportInfos: toolDeps.transports,
    verify: () => verifyBeside(paths.db, db),
  };
}
