// What is counted while the daemon runs, in the words of OpenMetrics. Labels have few values, and none that anybody outside chooses.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import type { Answered } from '../http/request-log.ts';
import type { Entry } from '../store/entries.ts';
import type { Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import { transports } from '../transports/catalog.ts';
import { version } from './version.ts';

export type Meters = ReturnType<typeof createMeters>;

const NANO = 1e-9;
/** From a commit on a fast disk to one that waits for others on a slow one. */
const COMMIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const RUN_SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 7_200];
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60];

export function createMeters() {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name: `helix_org_${name}_total`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, { buckets, labelNames = [] }: Buckets<L>) =>
    new Histogram({ name: `helix_org_${name}_seconds`, help, buckets, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers });

  const inbound = counter('inbound', 'Requests of providers and webhooks, by transport and result.', [
    'transport',
    'result',
  ]);
  const outbound = counter('outbound', 'Deliveries and attempts, by transport and result.', ['transport', 'result']);
  const ended = counter('activations', 'Activations that ended, by outcome.', ['outcome']);
  const cost = counter('activation_cost_dollars', 'US dollars that agents said their runs cost.');
  const events = counter(
    'events',
    'Events published, by the transport of their Stream and whether they came from outside.',
    ['transport', 'from'],
  );
  const runSeconds = histogram('activation_duration', 'How long activations took, by outcome.', {
    buckets: RUN_SECONDS,
    labelNames: ['outcome'],
  });
  const commitSeconds = histogram('commit', 'From a command to the commit on disk that holds it.', {
    buckets: COMMIT_SECONDS,
  });
  const requestSeconds = histogram('http_request', 'Answers, by route and class of status.', {
    buckets: REQUEST_SECONDS,
    labelNames: ['route', 'status'],
  });
  const lag = gauge('helix_org_event_loop_lag_seconds', 'How late the event loop was since it was last asked.', [
    'quantile',
  ]);
  const memory = gauge('helix_org_memory_bytes', 'Memory of the daemon itself, by kind; agents are not in it.', [
    'kind',
  ]);
  gauge('helix_org_build_info', 'This version.', ['version']).set({ version }, 1);
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const inboundKinds = new Map(
    [...transports.values()].flatMap(({ kind, receive }) => (receive ? [[receive.path, kind] as const] : [])),
  );

  function noteEntry(
    { event, actor }: Entry,
    { org }: Pick<Journal, 'org'>,
    queries: Pick<Queries, 'activation'>,
  ): void {
    switch (event.type) {
      case 'EventPublished':
        return events.inc({
          transport: kindOf(org, event.streamId),
          from: actor.startsWith('transport:') ? 'outside' : 'inside',
        });
      case 'EventDelivered':
        return outbound.inc({ transport: kindOf(org, event.streamId), result: 'delivered' });
      case 'DeliveryDied':
        return outbound.inc({ transport: kindOf(org, event.streamId), result: 'dead' });
      case 'ActivationEnded': {
        const { outcome, usage, activationId } = event;
        const run = queries.activation(activationId);
        ended.inc({ outcome });
        if (usage.costUsd !== undefined) cost.inc(usage.costUsd);
        if (run?.endedAt)
          runSeconds.observe({ outcome }, Math.max(0, Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1_000);
        return;
      }
      default:
        return; // Nothing else is counted.
    }
  }

  return {
    registry,
    gauge,
    noteEntry,
    committed: (seconds: number) => commitSeconds.observe(seconds),
    attemptFailed: (org: Journal['org'], streamId: string) =>
      outbound.inc({ transport: kindOf(org, streamId), result: 'attempt_failed' }),
    answered({ route, status, seconds }: Answered) {
      requestSeconds.observe({ route, status: `${Math.floor(status / 100)}xx` }, seconds);
      const transport = inboundKinds.get(route);
      if (transport !== undefined) inbound.inc({ transport, result: resultOf(status) });
    },
    /** Just before the figures are given out. */
    sample() {
      for (const [quantile, percentile] of [
        ['0.5', 50],
        ['0.99', 99],
        ['1', 100],
      ] as const)
        lag.set({ quantile }, delay.percentile(percentile) * NANO);
      delay.reset();
      const { rss, heapUsed, external } = process.memoryUsage();
      for (const [kind, bytes] of Object.entries({ rss, heap: heapUsed, external })) memory.set({ kind }, bytes);
    },
    stop: () => void delay.disable(),
  };
}

type Buckets<L extends string> = { buckets: number[]; labelNames?: L[] };

const kindOf = ({ streams }: Journal['org'], streamId: string): string =>
  streams.get(streamId)?.transport.kind ?? 'none';

/** 401 and the like are refused; 503 asks the sender to come again. */
const resultOf = (status: number): string => (status < 300 ? 'accepted' : status < 500 ? 'refused' : 'failed');
