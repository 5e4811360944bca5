// `trace` may have to read every Message there is, so it has a thread and a connection of its own, beside a daemon as well.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { notFound } from '../domain/errors.ts';
import type { Db } from '../store/database.ts';
import { drizzle } from '../store/drizzle.ts';
import { createQueries } from '../store/queries.ts';
import { createTraceReads } from '../store/trace-reads.ts';
import { MEMORY } from './data-dir.ts';
import { find, MATCHES_MAX } from './trace-find.ts';
import { nodeOf, type TraceNode, treeOf } from './trace-tree.ts';

/** One thing with its chain, or a list of what may be meant; `isMore` when the list is longer than what is shown. */
export type Trace = { tree: TraceNode } | { matches: TraceNode[]; isMore: boolean };

/**
 * @param db used where no other connection can read the same data
 * @throws OrgError not_found when nothing bears this name
 */
export async function traceBeside(file: string, db: Db, reference: string): Promise<Trace> {
  const trace = file === MEMORY ? traceIn(db, reference) : await traceInThread(file, reference);
  if (trace) return trace;
  throw notFound(
    `Nothing here is known as ${JSON.stringify(reference.slice(0, 100))}. Give the id of an Event (e-…), an activation (a-…) or a ` +
      'delivery (d-…), a seq of the journal, a Message-ID or mail address, an id that a provider gave its delivery, or owner/repo#12.',
  );
}

function traceInThread(file: string, reference: string): Promise<Trace | undefined> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { trace: { file, reference } } });
  return new Promise((resolve, reject) => {
    thread.once('message', ({ trace }: { trace?: Trace }) => resolve(trace)).once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the trace ended early, with ${code}`)));
  });
}

function traceIn(db: Db, reference: string): Trace | undefined {
  const deps = { queries: createQueries(db), reads: createTraceReads(db) };
  const found = find(deps, reference);
  const [only, ...others] = found;
  if (!only) return undefined;
  if (others.length === 0) {
    const tree = treeOf(deps, only);
    return tree && { tree };
  }
  return { matches: found.flatMap((each) => nodeOf(deps, each) ?? []), isMore: found.length === MATCHES_MAX };
}

function traceFile({ file, reference }: { file: string; reference: string }): Trace | undefined {
  const sqlite = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    // Everything that is read is of one moment.
    return sqlite.transaction(() => traceIn({ sqlite, orm: drizzle({ client: sqlite }) }, reference))();
  } finally {
    sqlite.close();
  }
}

const given = workerData as { trace?: { file: string; reference: string } } | null;
if (!isMainThread && given?.trace) parentPort?.postMessage({ trace: traceFile(given.trace) });
