// The Worker's folder: texts for its agent, written before each activation. The journal is the truth; other files are the Worker's own.
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conflict } from '../domain/errors.ts';
import { isSafeId } from '../domain/ids.ts';
import type { Queries } from '../store/queries.ts';
import { bringFiles, type EventWithFiles, INBOX } from './inbox-files.ts';

export type FolderDeps = {
  queries: Pick<Queries, 'worker' | 'role' | 'position'>;
  /** Absolute. */
  envsDir: string;
  policy: string;
  /** The Worker's MCP endpoint at the local address. */
  mcpUrl(workerId: string): string;
};

export type WorkerTexts = {
  folder: string;
  roles: { positionId: string; content: string; seq: number }[];
  identity: string;
};

/** Makes the folder if need be and brings its texts up to date. @throws OrgError when the Worker has no Position */
export function createFolders({ queries, envsDir, policy, mcpUrl }: FolderDeps) {
  const pathOf = (workerId: string): string => {
    if (!isSafeId(workerId)) throw conflict(`${JSON.stringify(workerId)} cannot name a folder.`);
    return join(envsDir, workerId);
  };
  return {
    pathOf,
    /** Puts the folder of a Worker who was fired aside; ids are never given again. */
    archive(workerId: string): void {
      const folder = pathOf(workerId);
      if (!existsSync(folder)) return;
      mkdirSync(join(envsDir, 'archive'), { recursive: true, mode: 0o750 });
      renameSync(folder, join(envsDir, 'archive', workerId));
    },
    /** Puts the files of these Events into `inbox/`, in place of those of the run before. @returns where they are */
    bring(workerId: string, events: readonly EventWithFiles[]): Promise<ReadonlyMap<string, string>> {
      return bringFiles(pathOf(workerId), events);
    },
    /** Removes what was brought of an Event that was redacted. */
    forget(eventId: string, workerIds: Iterable<string>): void {
      for (const workerId of workerIds)
        rmSync(join(pathOf(workerId), INBOX, eventId), { recursive: true, force: true });
    },
    prepare(workerId: string): WorkerTexts {
      const worker = queries.worker(workerId);
      if (!worker) throw conflict(`worker "${workerId}": record not found`);
      const folder = pathOf(workerId);
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      const roles = worker.positions.flatMap((positionId) => {
        const role = queries.role(queries.position(positionId)?.roleId ?? '');
        return role ? [{ positionId, content: role.content, seq: role.seq }] : [];
      });
      write(folder, 'role.md', roles.map(({ content }) => content.trimEnd()).join('\n\n---\n\n'));
      write(folder, 'identity.md', worker.identity);
      write(folder, 'agent.md', policy);
      write(folder, 'mcp.json', mcpConfig(mcpUrl(workerId)));
      return { folder, roles, identity: worker.identity };
    },
  };
}

export type Folders = ReturnType<typeof createFolders>;

/** The token stays out of the file: the agent takes it from its environment. */
function mcpConfig(url: string): string {
  // Some agents would else show the model our tools only after it has searched for them.
  const helix = { type: 'http', url, alwaysLoad: true, headers: { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' } };
  return JSON.stringify({ mcpServers: { helix } }, null, 2);
}

/** Whole or not at all, readable by its owner only; untouched when it says the same already. */
function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  const wanted = text.endsWith('\n') ? text : `${text}\n`;
  if (current(path) === wanted) return chmodSync(path, 0o600);
  const temporary = join(folder, `.${name}.new`);
  // Made anew: a run can have put a link there, or a file that others may read.
  rmSync(temporary, { recursive: true, force: true });
  writeFileSync(temporary, wanted, { mode: 0o600, flag: 'wx' });
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
  renameSync(temporary, path);
}

/** The text of a plain file; a link is never followed. */
function current(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, 'utf8') : undefined;
}
