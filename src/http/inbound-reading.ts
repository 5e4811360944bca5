// Reads inbound requests: checks, decodes and maps them. Large ones go to a thread of their own, since to parse some 25 MB
// takes seconds, and nobody else shall wait for that.
import { hash } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { invalid, OrgError, type OrgErrorCode } from '../domain/errors.ts';
import { transports } from '../transports/catalog.ts';
import {
  type Inbound,
  type RawRequest,
  type Receiver,
  type TransportStream,
  Unready,
} from '../transports/transport.ts';

/** A request for a transport, with everything it needs in order to be read. */
export type Reading = {
  kind: string;
  request: RawRequest;
  streams: TransportStream<unknown>[];
  account: unknown;
};

/** What a request became, and the SHA-256 of its body. */
export type Read = { inbound: Inbound[]; digest: Uint8Array };

export type InboundReader = {
  /** @throws what `receive.handle` throws */
  read(reading: Reading, receive: Receiver<unknown>): Promise<Read>;
  close(): Promise<void>;
};

/** From here on a body may hold the loop up for more than a few milliseconds, whatever is in it. */
const LARGE_BYTES = 65_536;
const LIMIT_MS = 20_000;
const IDLE_MS = 10_000;
const HEAP_MB = 1_024;
const TOO_MUCH = 'The body is too complex to be read.';

type Answer = Read | { refused: OrgErrorCode; message: string } | { unready: string } | { bug: string };

export function createInboundReader(): InboundReader {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function readApart(reading: Reading): Promise<Read> {
    clearTimeout(idle);
    thread ??= startThread();
    const worker = thread;
    const answer = await new Promise<Answer>((resolve) => {
      const limit = setTimeout(() => end({ refused: 'invalid', message: TOO_MUCH }, true), LIMIT_MS);
      // Out of memory or out of time: the next one gets a new thread.
      const onError = () => end({ refused: 'invalid', message: TOO_MUCH }, true);
      const onMessage = (message: Answer) => end(message, false);
      function end(outcome: Answer, isOver: boolean): void {
        clearTimeout(limit);
        worker.off('message', onMessage).off('error', onError).off('exit', onError);
        if (isOver) void discard(worker);
        resolve(outcome);
      }
      worker.once('message', onMessage).once('error', onError).once('exit', onError);
      worker.postMessage(reading, [...whole([reading.request.body])]);
    });
    if (thread) idle = setTimeout(() => void (thread && discard(thread)), IDLE_MS).unref();
    return outcomeOf(answer);
  }

  function discard(worker: Worker): Promise<unknown> {
    if (thread === worker) thread = undefined;
    worker.on('error', () => {});
    return worker.terminate();
  }

  return {
    async read(reading, receive) {
      const isKnown = transports.get(reading.kind)?.receive === receive;
      if (reading.request.body.length < LARGE_BYTES || !isKnown) return readHere(reading, receive);
      const mine = last.then(() => readApart(reading));
      last = mine.catch(() => {});
      return mine;
    },
    async close() {
      clearTimeout(idle);
      if (thread) await discard(thread);
    },
  };
}

function readHere({ request, streams, account }: Reading, receive: Receiver<unknown>): Read {
  const digest = hash('sha256', request.body, 'buffer');
  return { inbound: receive.handle(request, streams, account), digest };
}

function startThread(): Worker {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { reads: 'inbound' },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  worker.unref();
  return worker;
}

function outcomeOf(answer: Answer): Read {
  if ('inbound' in answer) return answer;
  if ('refused' in answer) throw answer.message === TOO_MUCH ? invalid(TOO_MUCH) : refusalOf(answer);
  if ('unready' in answer) throw new Unready(answer.unready);
  throw new Error(`A request could not be read: ${answer.bug}`);
}

const refusalOf = ({ refused, message }: { refused: OrgErrorCode; message: string }) => new OrgError(refused, message);

/** Memory that can change hands instead of being copied: arrays that are all of their buffer. */
function* whole(arrays: Uint8Array[]): Iterable<ArrayBuffer> {
  const seen = new Set<ArrayBufferLike>();
  for (const { buffer, byteLength } of arrays) {
    if (byteLength < LARGE_BYTES || buffer.byteLength !== byteLength || seen.has(buffer)) continue;
    seen.add(buffer);
    if (buffer instanceof ArrayBuffer) yield buffer;
  }
}

function answerOf({ kind, request, streams, account }: Reading): Answer {
  const receive = transports.get(kind)?.receive;
  if (!receive) return { bug: `no transport ${kind} receives` };
  try {
    const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
    return readHere({ kind, request: { ...request, body }, streams, account }, receive);
  } catch (error) {
    if (error instanceof OrgError) return { refused: error.code, message: error.message };
    if (error instanceof Unready) return { unready: error.message };
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

if (!isMainThread && (workerData as { reads?: string } | null)?.reads === 'inbound') {
  parentPort?.on('message', (reading: Reading) => {
    const answer = answerOf(reading);
    const parts = 'inbound' in answer ? answer.inbound.flatMap(({ content }) => content.map(({ bytes }) => bytes)) : [];
    parentPort?.postMessage(answer, [...whole(parts)]);
  });
}
