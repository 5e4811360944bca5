// A daemon as an installed `helix-org serve` starts it (compiled, with what V8 kept of the last start), in a process of its
// own, for a benchmark that talks to it over the wire. JavaScript, since to read TypeScript would be 50 ms of every start.
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

enableCompileCache(join(tmpdir(), 'helix-bench-data', 'compiled'));
const compiled = (name) => import(new URL(`../dist/cli/${name}.js`, import.meta.url).href);
const { startDaemon } = await compiled('daemon');
const { afterStart } = await compiled('after-start');

const config = JSON.parse(process.argv[2] ?? '');
const began = performance.now();
const daemon = await startDaemon(config);
const listeningMs = performance.now() - began;

const NANOSECONDS = 1e6;
const loop = monitorEventLoopDelay({ resolution: 1 });

/** The monitor's own timer is late by its resolution; what is beyond is delay. */
const delay = (nanoseconds) => Math.max(0, nanoseconds / NANOSECONDS - 1);

process.on('message', async (asked) => {
  const [what, about] = asked.split(' ');
  if (what === 'secret') process.send?.(daemon.settings.secret(`stream.${about}`));
  if (asked === 'waiting') process.send?.(daemon.waits.size);
  if (asked === 'running') process.send?.(daemon.dispatcher.running);
  if (asked === 'memory') process.send?.(process.memoryUsage.rss());
  if (asked === 'watch') {
    loop.reset();
    loop.enable();
    process.send?.('watching');
  }
  if (asked === 'watched') {
    loop.disable();
    process.send?.({ p99: delay(loop.percentile(99)), max: delay(loop.max) });
  }
  if (asked === 'stop') {
    await daemon.stop();
    process.disconnect();
  }
});
// Nobody is left to ask.
process.on('disconnect', () => process.exit());
void afterStart(daemon.recovered);
process.send?.({ url: daemon.url, port: daemon.port, token: daemon.ownerToken, listeningMs });
