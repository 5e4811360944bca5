// What `doctor` looks at in the organisation and its settings. A running daemon looks itself, since it alone knows what it was
// started with; else the command does.
import { accessSync, constants, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../agents/program.ts';
import type { Db } from '../store/database.ts';
import { createHealth } from '../store/health.ts';
import { createQueries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import { agentKind, checkAgent, waysToPlay } from './agents.ts';
import type { DataPaths } from './data-dir.ts';
import { checkTransports } from './doctor-transports.ts';
import { broken, type Finding, findAll, fine, warning } from './finding.ts';

export type OrgSite = {
  /** May be open for reading only. */
  db: Db;
  settings: Settings;
  paths: Pick<DataPaths, 'envsDir'>;
  environment: NodeJS.ProcessEnv;
  /** How the outside reaches the daemon, as far as that is known. */
  publicUrl?: string;
  /** It listens beyond this machine. */
  isWide?: boolean;
};

const MIB = 1_048_576;
/** What an agent takes, as `dispatch.max_inflight` reckons. */
const MEMORY_PER_RUN = 400 * MIB;

export function examineOrg(site: OrgSite): Promise<Finding[]> {
  return findAll({
    agent: () => agent(site),
    sandbox: () => sandbox(site),
    memory: () => memory(site),
    folders: () => folders(site),
    transports: () => checkTransports(site),
    work: () => work(site),
  });
}

const aiWorkers = ({ db }: OrgSite) =>
  createQueries(db)
    .workers()
    .filter(({ kind }) => kind === 'ai');

/** The kind that is set for all, and every other one that was chosen for somebody. */
async function agent(site: OrgSite): Promise<Finding[]> {
  const { settings, environment } = site;
  const usual = agentKind(settings);
  const workers = aiWorkers(site);
  const others = waysToPlay(workers, usual);
  const found = await Promise.all([
    checkAgent(usual, settings, environment),
    ...others.map(({ kind, command }) => checkAgent(kind, settings, environment, command)),
  ]);
  return found.flatMap(({ kind, version, problems }, index) => {
    const own = others[index - 1];
    const whom = own?.workerId ?? 'Workers';
    if (problems.length === 0)
      return fine('agent', `${kind}${version === null ? '' : ` ${version}`} can play ${whom}.`);
    // Where it plays nobody, nothing waits for it yet.
    const isNeeded = own !== undefined || workers.some((each) => (each.agent.kind ?? usual) === usual);
    const how = isNeeded ? broken : warning;
    const about = own ? ` It was chosen for ${own.workerId}.` : '';
    return problems.flatMap(({ sentence, fix }) => how('agent', sentence + about, fix));
  });
}

async function sandbox({ settings }: OrgSite): Promise<Finding[]> {
  const [program] = settings.get('agent.wrap');
  const runAs = settings.get('agent.run_as');
  if (program !== undefined) {
    const found = await findProgram(program, process.env.PATH ?? '');
    if ('problem' in found)
      return broken(
        'sandbox',
        `agent.wrap begins with ${program}: ${found.problem}, so no agent can start.`,
        `Install ${program}, or set agent.wrap anew: helix-org config delete agent.wrap`,
      );
  }
  if (runAs !== '' && process.getuid?.() !== 0)
    return broken(
      'sandbox',
      `agent.run_as is ${JSON.stringify(runAs)}, but only root may start programs as another user.`,
      'Run the daemon as root, or: helix-org config delete agent.run_as',
    );
  return program === undefined && runAs === '' ? [] : fine('sandbox', 'What agents are started in is there.');
}

function memory({ settings }: OrgSite): Finding[] {
  const most = settings.get('dispatch.max_inflight');
  if (most === null) return fine('memory', 'As many agents run at once as the free memory allows.');
  const fitting = Math.max(1, Math.floor(totalmem() / MEMORY_PER_RUN));
  return most > fitting
    ? warning(
        'memory',
        `dispatch.max_inflight is ${most}; this machine has memory for about ${fitting} agents at once.`,
        `helix-org config set dispatch.max_inflight ${fitting}`,
      )
    : fine('memory', `There is memory for the ${most} agents that may run at once.`);
}

function folders(site: OrgSite): Finding[] {
  const { envsDir } = site.paths;
  const wrong = aiWorkers(site).flatMap(({ id }) => {
    const folder = join(envsDir, id);
    const found = statSync(folder, { throwIfNoEntry: false });
    if (!found) return []; // It is made before the next run.
    return found.isDirectory() && isWritable(folder)
      ? []
      : broken(
          'folders',
          `${folder} is ${found.isDirectory() ? 'not writable' : 'no directory'}, so ${id} cannot run.`,
          found.isDirectory()
            ? `chown -R "$USER" ${folder} && chmod u+rwx ${folder}`
            : `mv ${folder} ${folder}.aside   # it is made anew before the next run`,
        );
  });
  return wrong.length > 0 ? wrong : fine('folders', `The folders of Workers below ${envsDir} can be written.`);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function work({ db }: OrgSite): Finding[] {
  const health = createHealth(db);
  const stopped = health.stoppages().flatMap(({ scope, hold, reason }) => {
    const isAll = scope === 'org';
    if (hold !== 'paused')
      return warning('work', `${isAll ? 'Nobody works' : `${scope} does not work`}: ${reason}.`, HOLD);
    const resume = isAll ? "resume_org '{}'" : `resume_worker '{"workerId": "${scope}"}'`;
    return warning('work', `${isAll ? 'Everybody' : scope} is paused.`, `helix-org call ${resume}`);
  });
  const aside = health.asideOf().flatMap(({ workerId, state, count }) => {
    const tool = state === 'held' ? 'release' : 'retry';
    const says = `${count} of what ${workerId} was to do ${count === 1 ? 'is' : 'are'} ${state}.`;
    return warning(
      'work',
      says,
      `helix-org call ${tool} '{"id": "${workerId}"}', or discard; /ui/attention shows each.`,
    );
  });
  const held = health.heldEvents();
  const events =
    held === 0
      ? []
      : warning('work', `${held} held Events wait for a person.`, 'Release or discard them at /ui/attention.');
  const found = [...stopped, ...aside, ...events];
  return found.length > 0 ? found : fine('work', 'Nothing waits for a person.');
}

const HOLD = 'It goes on by itself when the limit is over or the agent works again; /ui/attention says how to help it.';
