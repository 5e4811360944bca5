// What the agent of one run gets besides what every agent gets: the wrappers, the mark of this run, and GitHub's token for
// those who may use gh.
import { delimiter } from 'node:path';
import type { EnvironmentOf } from '../dispatch/activation.ts';
import type { Journal } from '../store/journal.ts';
import { createProvenance } from '../store/provenance.ts';
import type { Settings } from '../store/settings.ts';
import { type GithubAccount, github } from '../transports/github.ts';
import { GITHUB_API_URL } from '../transports/github-api.ts';
import { installWrappers } from './wrappers.ts';

export type WorkerEnvironmentDeps = {
  dataDir: string;
  journal: Pick<Journal, 'org'>;
  settings: Pick<Settings, 'account' | 'secret' | 'setSecret'>;
  /** The daemon's own search path. */
  path: string;
};

/**
 * GitHub's token goes to Workers that hold `agent:Bash`, or `agent:Bash(gh …)`. To listen to a github Stream is not enough:
 * anybody may subscribe, and whoever writes on GitHub is heard there.
 */
const MAY_USE_GH = /^agent:Bash(\(gh\b[^)]*\))?$/;

export function createWorkerEnvironment({ dataDir, journal, settings, path }: WorkerEnvironmentDeps) {
  const wrappers = installWrappers(dataDir);
  const provenance = createProvenance(settings);
  return ({ workerId, activationId, hops, triggers }: EnvironmentOf): Record<string, string> => {
    const last = triggers.findLast(({ event }) => event.type === 'EventPublished')?.event;
    const eventId = last?.type === 'EventPublished' ? last.id : '';
    const held = [...(journal.org.grants.get(workerId)?.keys() ?? [])];
    return {
      PATH: [wrappers, path].filter(Boolean).join(delimiter),
      HELIX_PROVENANCE: provenance.write({ activationId, hops, eventId }),
      ...(held.some((grant) => MAY_USE_GH.test(grant)) ? githubToken(settings) : {}),
    };
  };
}

/** As gh takes it: https://cli.github.com/manual/gh_help_environment */
function githubToken(settings: Pick<Settings, 'account'>): Record<string, string> {
  const { token, api_url: apiUrl = GITHUB_API_URL } = (settings.account(github.account.key) ?? {}) as GithubAccount;
  if (!token) return {};
  const host = new URL(apiUrl).host;
  if (host === new URL(GITHUB_API_URL).host) return { GH_TOKEN: token };
  return { GH_TOKEN: token, GH_ENTERPRISE_TOKEN: token, GH_HOST: host.replace(/^api\./, '') };
}
