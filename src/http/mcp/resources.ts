// What a Worker may read, as resources of the protocol: Roles, Streams by the may-read rule, and the files of its own folder.
// Resources are another way to read and no other right: who holds no tool that reads Streams sees none here either.
import { isUtf8 } from 'node:buffer';
import { ResourceNotFoundError } from '@modelcontextprotocol/server';
import { OrgError } from '../../domain/errors.ts';
import { mayRead } from '../../domain/may-read.ts';
import type { Org } from '../../domain/org.ts';
import type { Queries } from '../../store/queries.ts';
import { show } from '../../tools/event-list.ts';
import { roleSummary, roleTitle } from '../../tools/role-text.ts';
import type { McpAnswers } from './answers.ts';
import { pageAfter } from './cursor.ts';
import { FILE_BYTES_MAX, listFiles, readFolderFile } from './folder-files.ts';

export type ResourceDeps = {
  journal: { readonly org: Org };
  queries: Pick<Queries, 'role' | 'stream' | 'events'>;
  folders: { pathOf(workerId: string): string };
};

const SCHEME = 'helix://';
const EVENTS_SHOWN = 50;

const READS_ROLES = ['get_role', 'list_roles'];
const READS_STREAMS = ['read_events', 'list_stream_events'];
const READS_TRANSCRIPTS = ['worker_log'];

export const TEMPLATES = {
  role: `${SCHEME}roles/{roleId}`,
  stream: `${SCHEME}streams/{streamId}`,
  file: `${SCHEME}folder/{+path}`,
} as const;

export function resourceAnswers(
  deps: ResourceDeps,
): Pick<McpAnswers, 'resources/list' | 'resources/templates/list' | 'resources/read'> {
  const { journal, queries, folders } = deps;
  const viewOf = (uri: string, size: number | undefined) => {
    const { kind, id } = parse(uri);
    switch (kind) {
      case 'roles': {
        const content = queries.role(id)?.content ?? '';
        return { uri, name: id, title: roleTitle(content), description: roleSummary(content), mimeType: MARKDOWN };
      }
      case 'streams': {
        const { name = id, description = '' } = journal.org.streams.get(id) ?? {};
        return { uri, name: id, title: name, ...(description ? { description } : {}), mimeType: JSON_TYPE };
      }
      case 'folder':
        return { uri, name: id, mimeType: typeOf(id), ...(size === undefined ? {} : { size }) };
    }
  };
  return {
    async 'resources/list'({ cursor }, { workerId }) {
      const files = await listFiles(folders.pathOf(workerId));
      const sizes = new Map(files.map(({ path, size }) => [fileUri(path), size]));
      const roles = readableRoles(journal.org, workerId).map((id) => `${SCHEME}roles/${id}`);
      const streams = readableStreams(journal.org, workerId)
        .filter((id) => journal.org.streams.get(id)?.purpose !== 'transcript')
        .map((id) => `${SCHEME}streams/${id}`);
      const { page, ...next } = pageAfter([...sizes.keys(), ...roles, ...streams], (uri) => uri, cursor);
      return { resources: page.map((uri) => viewOf(uri, sizes.get(uri))), ...next };
    },
    'resources/templates/list'(_params, { workerId }) {
      const { org } = journal;
      const templates = [];
      if (holdsOne(org, workerId, READS_ROLES))
        templates.push({ uriTemplate: TEMPLATES.role, name: 'role', title: 'A Role', mimeType: MARKDOWN });
      if (holdsOne(org, workerId, [...READS_STREAMS, ...READS_TRANSCRIPTS]))
        templates.push({
          uriTemplate: TEMPLATES.stream,
          name: 'stream',
          title: 'A Stream',
          description: `The newest ${EVENTS_SHOWN} Events of a Stream or a transcript, newest first.`,
          mimeType: JSON_TYPE,
        });
      templates.push({
        uriTemplate: TEMPLATES.file,
        name: 'file',
        title: 'A file of yours',
        description: `A file of your own folder, of at most ${FILE_BYTES_MAX} bytes.`,
      });
      return { resourceTemplates: templates };
    },
    async 'resources/read'({ uri }, { workerId }) {
      const { kind, id } = parse(uri);
      switch (kind) {
        case 'roles': {
          const role = holdsOne(journal.org, workerId, READS_ROLES) ? queries.role(id) : undefined;
          if (!role || !journal.org.roles.has(id)) throw new ResourceNotFoundError(uri);
          return { contents: [{ uri, mimeType: MARKDOWN, text: role.content }] };
        }
        case 'streams':
          if (!mayReadStream(journal.org, workerId, id)) throw new ResourceNotFoundError(uri);
          return { contents: [{ uri, mimeType: JSON_TYPE, text: JSON.stringify(streamContent(queries, id)) }] };
        case 'folder':
          return { contents: [await fileContent(folders.pathOf(workerId), uri, id)] };
      }
    },
  };
}

export function readableRoles(org: Org, workerId: string): string[] {
  return holdsOne(org, workerId, READS_ROLES) ? [...org.roles].sort() : [];
}

/** Streams that exist and that the Worker may read with the tools it holds, transcripts among them. */
export function readableStreams(org: Org, workerId: string): string[] {
  const exists = (id: string) => org.streams.get(id)?.deletedAt === null;
  return [...org.streams.keys()].filter((id) => exists(id) && mayReadStream(org, workerId, id)).sort();
}

/** The may-read rule, and a Grant to read this kind of Stream at all. */
function mayReadStream(org: Org, workerId: string, streamId: string): boolean {
  const isTranscript = org.streams.get(streamId)?.purpose === 'transcript';
  return holdsOne(org, workerId, isTranscript ? READS_TRANSCRIPTS : READS_STREAMS) && mayRead(org, workerId, streamId);
}

function holdsOne(org: Org, workerId: string, tools: readonly string[]): boolean {
  const held = org.grants.get(workerId);
  return tools.some((tool) => held?.has(tool));
}

function streamContent(queries: ResourceDeps['queries'], id: string) {
  const { name, description } = queries.stream(id) ?? {};
  return { id, name, description, events: queries.events([id], { limit: EVENTS_SHOWN }).map(show) };
}

async function fileContent(folder: string, uri: string, path: string) {
  try {
    const bytes = await readFolderFile(folder, path);
    const mimeType = typeOf(path);
    return isUtf8(bytes)
      ? { uri, mimeType, text: bytes.toString() }
      : { uri, mimeType, blob: bytes.toString('base64') };
  } catch (error) {
    if (error instanceof OrgError) throw new ResourceNotFoundError(uri, error.message);
    throw error;
  }
}

/** @throws ResourceNotFoundError for a URI that none of the templates makes */
function parse(uri: string): { kind: 'roles' | 'streams' | 'folder'; id: string } {
  const [, kind, rest = ''] = /^helix:\/\/(roles|streams|folder)\/([^?#]+)$/.exec(uri) ?? [];
  try {
    if (kind === 'folder') return { kind, id: decodeURIComponent(rest) };
    if ((kind === 'roles' || kind === 'streams') && !rest.includes('/')) return { kind, id: rest };
  } catch {
    // A URI whose escapes mean nothing names nothing.
  }
  throw new ResourceNotFoundError(uri);
}

const fileUri = (path: string): string => `${SCHEME}folder/${path.split('/').map(encodeURIComponent).join('/')}`;

const MARKDOWN = 'text/markdown';
const JSON_TYPE = 'application/json';
const TYPES: Record<string, string> = { md: MARKDOWN, json: JSON_TYPE, csv: 'text/csv', html: 'text/html' };

const typeOf = (path: string): string => TYPES[/\.(\w+)$/.exec(path)?.[1] ?? ''] ?? 'text/plain';
