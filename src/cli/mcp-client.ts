// The configuration of MCP clients: where each keeps it, and what an entry of ours looks like there. Tokens stand in files of
// the user's own and never in an argument of a program.
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { conflict, invalid } from '../domain/errors.ts';
import { memberOf, removeMember, setMember } from './json-member.ts';
import { removeTable, setTable, tableOf } from './toml-table.ts';

/** What connects a client with a Worker's endpoint. `authorization` is the header's value, or names a variable that has it. */
export type Entry = { url: string; authorization: string };

export type Place = {
  /** Absolute. */
  file: string;
  /** Others may get to see the file, so no token is written into it. */
  isShared: boolean;
  /** Our entry as it stands. @throws OrgError when the file cannot be understood, or has something else of that name */
  read(text: string): Entry | undefined;
  put(text: string, entry: Entry): string;
  remove(text: string): string;
};

export type Surroundings = { environment: NodeJS.ProcessEnv; cwd: string };

export type ClientName = 'claude' | 'codex';

export const CLIENTS: readonly ClientName[] = ['claude', 'codex'];
export const SCOPES = ['user', 'local', 'project'] as const;
export type Scope = (typeof SCOPES)[number];

/** Where a client keeps the entry of this name. @throws OrgError for a scope that it has not */
export function placeOf(client: ClientName, name: string, scope: Scope, around: Surroundings): Place {
  switch (client) {
    case 'claude':
      return claudePlace(name, scope, around);
    case 'codex':
      return codexPlace(name, scope, around);
  }
}

/** The entry as a person pastes it. */
export function snippetOf(client: ClientName | undefined, name: string, entry: Entry): string {
  if (client === 'codex') return setTable('', ['mcp_servers', name], codexPairs(entry));
  return setMember('', ['mcpServers', name], claudeEntry(entry));
}

const homeOf = ({ environment }: Surroundings): string => environment.HOME || homedir();

function claudePlace(name: string, scope: Scope, around: Surroundings): Place {
  const own = join(around.environment.CLAUDE_CONFIG_DIR || homeOf(around), '.claude.json');
  const file = scope === 'project' ? join(around.cwd, '.mcp.json') : own;
  const servers = scope === 'local' ? ['projects', projectOf(around.cwd), 'mcpServers'] : ['mcpServers'];
  const path = [...servers, name];
  const understood = understanding(file);
  return {
    file,
    isShared: scope === 'project',
    read: (text) =>
      understood(() => {
        const found = memberOf(text, path) as { url?: unknown; headers?: { Authorization?: unknown } } | undefined;
        return found && ours(file, name, found.url, found.headers?.Authorization);
      }),
    put: (text, entry) => understood(() => setMember(text, path, claudeEntry(entry))),
    remove: (text) => understood(() => removeMember(text, path)),
  };
}

const claudeEntry = ({ url, authorization }: Entry) => ({
  type: 'http',
  url,
  headers: { Authorization: authorization },
});

/** Claude Code files what is local to a project under the root of its repository. */
function projectOf(cwd: string): string {
  const start = realpathSync(cwd);
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return start;
  }
}

function codexPlace(name: string, scope: Scope, around: Surroundings): Place {
  if (scope !== 'user') throw invalid('Codex has the scope user only; leave --scope out.');
  const file = resolve(around.environment.CODEX_HOME || join(homeOf(around), '.codex'), 'config.toml');
  const table = ['mcp_servers', name];
  const understood = understanding(file);
  return {
    file,
    isShared: false,
    read: (text) =>
      understood(() => {
        const found = tableOf(text, table);
        const authorization = /Authorization"? *= *"([^"]*)"/.exec(found?.http_headers ?? '')?.[1];
        return found && ours(file, name, found.url?.slice(1, -1), authorization);
      }),
    // A variable for the token would stand beside the header.
    put: (text, entry) =>
      understood(() => setTable(text, table, { ...codexPairs(entry), bearer_token_env_var: undefined })),
    remove: (text) => understood(() => removeTable(text, table)),
  };
}

const codexPairs = ({ url, authorization }: Entry): Record<string, string> => ({
  url: JSON.stringify(url),
  http_headers: `{ Authorization = ${JSON.stringify(authorization)} }`,
});

function ours(file: string, name: string, url: unknown, authorization: unknown): Entry {
  if (typeof url === 'string' && /\/workers\/[^/]+\/mcp$/.test(url))
    return { url, authorization: typeof authorization === 'string' ? authorization : '' };
  throw conflict(`${file} has another MCP server called ${name}; choose a different --name.`);
}

/** A file we cannot read is left alone. */
function understanding(file: string) {
  return <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError)
        throw conflict(`${file} is left as it is: ${error.message}. Mend it, or use --print and paste the entry.`);
      throw error;
    }
  };
}
