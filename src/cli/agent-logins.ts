// What the programs that play Workers log in with: what `helix-org login` stored, else what the daemon's environment says.
import { AUTH_VARIABLE } from '../agents/codex-login.ts';
import type { Settings } from '../store/settings.ts';

export const LOGIN_AGENTS = ['claude', 'codex'] as const;
export type LoginAgent = (typeof LOGIN_AGENTS)[number];

/** What says who pays, in the order in which the programs look; and where the service is. */
const VARIABLES: Record<LoginAgent, { pays: string[]; where: string[] }> = {
  claude: {
    pays: ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'],
    where: ['ANTHROPIC_BASE_URL', 'ANTHROPIC_CUSTOM_HEADERS'],
  },
  codex: {
    pays: ['CODEX_API_KEY', 'OPENAI_API_KEY', 'CODEX_ACCESS_TOKEN', AUTH_VARIABLE],
    where: ['OPENAI_BASE_URL'],
  },
};

/** By the variable that logs in. */
const PAYERS: Record<string, string> = {
  ANTHROPIC_AUTH_TOKEN: 'whoever ANTHROPIC_AUTH_TOKEN belongs to',
  ANTHROPIC_API_KEY: 'the Anthropic API account of the key, by use',
  CLAUDE_CODE_OAUTH_TOKEN: 'the Claude subscription of the account that made the token',
  CODEX_API_KEY: 'the OpenAI API account of the key, by use',
  OPENAI_API_KEY: 'the OpenAI API account of the key, by use',
  CODEX_ACCESS_TOKEN: 'the ChatGPT account of the access token',
  [AUTH_VARIABLE]: 'the ChatGPT account that signed in',
};

type Variables = Record<string, string>;

/** The variables of a run. A stored login stands alone: a key in the daemon's environment would win over it and pay. */
export function agentLogin(kind: LoginAgent, settings: Settings, environment: NodeJS.ProcessEnv): Variables {
  const stored = storedLogin(kind, settings);
  return stored ? { ...given(VARIABLES[kind].where, environment), ...stored } : loginVariables(kind, environment);
}

/** Those of an environment that log in, and that say where the service is. */
export function loginVariables(kind: LoginAgent, environment: NodeJS.ProcessEnv): Variables {
  const { pays, where } = VARIABLES[kind];
  return given([...pays, ...where], environment);
}

export const storedLogin = (kind: LoginAgent, settings: Settings): Variables | undefined => {
  const stored = settings.secret(loginSecret(kind));
  return stored === undefined ? undefined : (JSON.parse(stored) as Variables);
};

export const loginSecret = (kind: LoginAgent): string => `login.${kind}`;

/** Who pays for the runs; undefined where nothing logs in. */
export function payerOf(kind: LoginAgent, login: Variables): string | undefined {
  const name = VARIABLES[kind].pays.find((each) => login[each]);
  return name === undefined ? undefined : PAYERS[name];
}

const given = (names: string[], environment: NodeJS.ProcessEnv): Variables =>
  Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
