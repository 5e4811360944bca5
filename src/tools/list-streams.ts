import { z } from 'zod';
import { mayRead } from '../domain/may-read.ts';
import { tolerant } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { pageResult } from './result-schemas.ts';

export const listStreams = defineTool({
  name: 'list_streams',
  title: 'List Streams',
  description: 'The Streams you may read, with what each is for. Transcripts are left out unless asked for.',
  input: z.object({
    ...pageInput,
    transcripts: tolerant(z.boolean().optional()).describe('true to list the transcripts of activations too.'),
  }),
  output: z.object({
    streams: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        description: z.string(),
        createdBy: z.string(),
        createdAt: z.string(),
        transportKind: z.string(),
      }),
    ),
    ...pageResult,
  }),
  effect: 'reads',
  async handler({ transcripts, ...page }, { caller, journal, queries }) {
    const readable = queries
      .streams()
      .filter(
        ({ id, purpose }) => (transcripts || purpose !== 'transcript') && mayRead(journal.org, caller.workerId, id),
      );
    const { rows, ...rest } = pageOf(readable, ({ id }) => id, page);
    const streams = rows.map(({ id, name, description, createdBy, createdAt, transportKind }) => ({
      id,
      name,
      description,
      createdBy,
      createdAt,
      transportKind,
    }));
    return { streams, ...rest };
  },
});
