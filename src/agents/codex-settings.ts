// The config.toml of one run of Codex: the Worker's own endpoint, no tool that was not granted, and the walls around those
// that it has. An option that this Codex does not know makes it refuse to start, rather than run without the wall.
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, relative } from 'node:path';
import type { AgentRun } from '../domain/agent.ts';
import { BASE_URL_VARIABLE } from './codex-login.ts';

export type CodexChoice = { model: string; effort: string };

export type CodexTools = {
  hasShell: boolean;
  hasWebSearch: boolean;
  /** Grants that Codex cannot honour, and that so give nothing. */
  unknown: string[];
};

/** What the Grants of an agent's own tools mean to Codex, which cannot hold a shell to a pattern. */
export function codexTools(grants: string[]): CodexTools {
  const known = ['Bash', 'WebSearch'];
  return {
    hasShell: grants.includes('Bash'),
    hasWebSearch: grants.includes('WebSearch'),
    unknown: grants.filter((grant) => !known.includes(grant)),
  };
}

/** Codex's own directory for a Worker. Tools cannot write there. */
export const codexDirectory = (folder: string): string => join(folder, '.home', '.codex');
export const temporaryDirectory = (folder: string): string => join(folder, '.home', 'tmp');
export const catalogFile = (folder: string): string => join(codexDirectory(folder), 'models.json');

/** Each would be a tool, a text or a program that nobody granted. */
const OFF = [
  ...['apps', 'plugins', 'remote_plugin', 'hooks', 'memories', 'goals', 'skill_search', 'tool_suggest', 'sleep_tool'],
  ...['image_generation', 'view_image', 'browser_use', 'browser_use_external', 'computer_use', 'in_app_browser'],
  ...['multi_agent_v2', 'skill_mcp_dependency_install', 'tool_call_mcp_elicitation', 'shell_snapshot'],
  ...['api_key_model_discovery', 'daemon_auto_start', 'unbounded_connection_retries'],
];
/** A tool of ours may wait for Events. */
const TOOL_SECONDS = 600;

export type CodexSettings = {
  run: AgentRun;
  choice: CodexChoice;
  login: Record<string, string>;
  /** Where its program was found. */
  program: string;
  /** Further directories that programs of Workers need. */
  readable: string[];
  hasCatalog: boolean;
};

export function codexConfig({ run, choice, login, program, readable, hasCatalog }: CodexSettings): string {
  const { folder, mcp, instructions } = run;
  const { hasShell, hasWebSearch } = codexTools(run.grants);
  const { model, effort } = choice;
  const baseUrl = login[BASE_URL_VARIABLE];
  const seen = hasShell ? [...searchPath(run), ...readable] : [];
  return [
    ...(model ? [`model = ${quote(model)}`] : []),
    ...(effort ? [`model_reasoning_effort = ${quote(effort)}`] : []),
    ...(hasCatalog ? [`model_catalog_json = ${quote(catalogFile(folder))}`] : []),
    ...(baseUrl ? ['model_provider = "worker"'] : []),
    `developer_instructions = ${quote(instructions)}`,
    'approval_policy = "never"',
    'default_permissions = "worker"',
    `web_search = ${hasWebSearch ? '"live"' : '"disabled"'}`,
    'cli_auth_credentials_store = "file"',
    'check_for_update_on_startup = false',
    'allow_login_shell = false',
    // What a run knows comes from its Role, identity and prompt, not from files that an earlier one left.
    'project_doc_max_bytes = 0',
    ...table('history', ['persistence = "none"']),
    ...table('analytics', ['enabled = false']),
    ...table('feedback', ['enabled = false']),
    ...table('agents', ['enabled = false']),
    ...table('skills', ['include_instructions = false']),
    ...table('skills.bundled', ['enabled = false']),
    ...table('features', [`shell_tool = ${hasShell}`, ...OFF.map((feature) => `${feature} = false`)]),
    ...table('shell_environment_policy', [
      'inherit = "all"',
      'ignore_default_excludes = true',
      'exclude = ["CODEX_*", "OPENAI_*", "HELIX_MCP_TOKEN"]',
    ]),
    ...table(`projects.${quote(folder)}`, ['trust_level = "untrusted"']),
    ...table('permissions.worker.filesystem', [
      '":root" = "deny"',
      '":minimal" = "read"',
      ...[...new Set([...packageOf(program), ...seen])]
        .filter((path) => isOutside(path, folder))
        .map((path) => `${quote(path)} = "read"`),
    ]),
    ...table('permissions.worker.filesystem.":workspace_roots"', [
      '"." = "write"',
      `".home" = ${hasShell ? '"write"' : '"read"'}`,
      '".home/.codex" = "read"',
      ...['.home/.codex/auth.json', '.home/.codex/sessions'].map((path) => `${quote(path)} = "deny"`),
    ]),
    ...table('permissions.worker.network', [`enabled = ${hasShell}`]),
    ...table('mcp_servers.helix', [
      `url = ${quote(mcp.url)}`,
      'bearer_token_env_var = "HELIX_MCP_TOKEN"',
      'default_tools_approval_mode = "approve"',
      'required = true',
      `tool_timeout_sec = ${TOOL_SECONDS}`,
    ]),
    ...(baseUrl ? provider(baseUrl) : []),
    '',
  ].join('\n');
}

const provider = (baseUrl: string) =>
  table('model_providers.worker', [
    'name = "worker"',
    `base_url = ${quote(baseUrl)}`,
    'wire_api = "responses"',
    'env_key = "CODEX_API_KEY"',
    'supports_websockets = false',
    // A limit or a failure of the service is ours to wait for, where people see it.
    ...['request_max_retries = 3', 'stream_max_retries = 3'],
  ]);

const table = (name: string, lines: string[]): string[] => ['', `[${name}]`, ...lines];

/** A basic string of TOML, which is one of JSON but for lone surrogates and DEL. */
const quote = (text: string): string => JSON.stringify(text.toWellFormed()).replaceAll('\x7f', '\\u007F');

/** Where its native program and what belongs to it are: its sandbox starts that program again. */
function packageOf(program: string): string[] {
  const file = realpathSync(program);
  const [bin, whole, around] = [dirname(file), dirname(dirname(file)), dirname(dirname(dirname(file)))];
  // Installed by npm it is a script in @openai/codex/bin, and the native program lies beside that package or in it.
  if (file.endsWith('.js')) return [around];
  return [existsSync(join(whole, 'codex-package.json')) ? whole : bin];
}

const searchPath = ({ environment }: AgentRun): string[] =>
  (environment.PATH ?? process.env.PATH ?? '').split(delimiter).filter((path) => isAbsolute(path));

/** What holds the folder holds other Workers' folders too. */
function isOutside(path: string, folder: string): boolean {
  const way = relative(path, folder);
  return way.startsWith('..') || isAbsolute(way);
}
