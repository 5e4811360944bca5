// docs/performance.md and its chart, from what the benchmarks of one run found.
import { cpus, totalmem } from 'node:os';
import Database from 'better-sqlite3';
import { type Curve, type Report, show } from './figures.ts';

const GIGABYTE = 2 ** 30;

/** What each benchmark is about, and what bounds it from below. */
const ABOUT: Record<string, { title: string; text: string }> = {
  ingest: {
    title: 'Taking in webhooks',
    text:
      'A POST of 1 KB is answered after it is on disk (SQLite WAL, `synchronous=FULL`). Whatever arrives in one turn of the event ' +
      'loop shares one fsync. Beside it: Fastify that only parses and answers, which nothing built on it can pass; and the same ' +
      'work (signature, idempotency key, Event, digest) with a commit and a fsync for each request, or with one for all that arrive ' +
      'in a turn, which is the least that one thread can do.',
  },
  'fan-out': {
    title: 'Subscribers',
    text: 'Publishing writes no row per subscriber, so its cost does not depend on them. They are marked after the answer.',
  },
  reads: {
    title: 'Growth with what is stored',
    text: 'Reading a Stream and looking into an inbox are range scans by an integer; a million Events more must not be felt.',
  },
  wake: {
    title: 'Long polls',
    text:
      'From the POST of an Event to the answer of `read_events` with `wait`. Beside it: Fastify that only holds as many requests ' +
      'and answers them when it is told to; that much is the connections’ and the client’s, on the same two cores.',
  },
  dispatch: {
    title: 'Waking a Worker',
    text:
      'From the commit to the first byte of the agent, here `/bin/echo`. Beside it: the same program started bare by ' +
      'the same process. To start a process costs what its parent is large, so agents are started by the launcher, a small one; ' +
      'of the time to the first byte its fork and exec are 1.3 to 2 ms.',
  },
  mcp: {
    title: 'MCP',
    text: 'Calls a second at 8 connections. Beside it: JSON-RPC by hand on the same Fastify, the floor, and the SDK’s own way.',
  },
  sse: { title: 'Open pages', text: 'From the POST of an Event until the last of so many connections has it.' },
  loop: {
    title: 'The event loop under full ingestion',
    text: 'Full means 64 connections without a pause between requests.',
  },
  ui: { title: 'Pages', text: 'Time to the first byte, and what a page asks for that nobody touches.' },
  chat: { title: 'Chat', text: 'From Enter to the first streamed token, without the model’s own time.' },
  memory: {
    title: 'Memory and start',
    text:
      'Resident memory of the daemon’s process, which runs the compiled package with what V8 kept of an earlier start, and with ' +
      'the option that the systemd unit and the image give to Node (`--max-semi-space-size=8`).',
  },
  recovery: { title: 'After kill -9', text: 'With an agent running and work pending for every Worker.' },
};

export function performanceDocument(reports: readonly Report[]): string {
  const goals = reports.flatMap(({ figures }) => figures).filter(({ isMet }) => isMet !== undefined);
  const met = goals.filter(({ isMet }) => isMet).length;
  const parts = [
    '# Performance',
    'Written by `npm run bench -- --write`; do not edit. Medians of rounds within one run; what stands beside a figure was measured ' +
      'in turns with it, so that ratios hold where figures do not. No test of the suite is timed.',
    `Machine: ${machine()}.`,
    `${met} of ${goals.length} goals are met.`,
    '![What a read and a publish cost, by what is stored and by who listens](performance.svg)',
    ...reports.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The figures that the README shows, by what they are called. */
const SHOWN: [bench: string, what: string, words: string][] = [
  ['ingest', 'signed and idempotent, 64 connections', 'Signed webhooks of 1 KB, each on disk before its answer'],
  ['fan-out', 'commit, 10,000 subscribers', 'Publish on a Stream with 10,000 subscribers'],
  ['reads', 'newest 50 of a Stream, 1,000,000 Events', 'Newest 50 of a Stream, a million Events stored'],
  ['dispatch', 'committed to the agent’s first byte, small daemon', 'From an Event on disk to its agent’s first byte'],
  ['sse', 'the last of 1,000 pages', 'An Event until the last of 1,000 open pages has it'],
  ['memory', 'idle, 10,000 Workers, 1,000,000 Events', 'Memory with 10,000 Workers and a million Events'],
  [
    'recovery',
    'from the start of the process to listening',
    'After kill -9 with 100,000 Events pending, until it listens',
  ],
];

export function performanceSummary(reports: readonly Report[]): string {
  const rows = SHOWN.flatMap(([bench, what, words]) => {
    const report = reports.find((each) => each.bench.split(' (')[0] === bench);
    const figure = report?.figures.find((each) => each.what === what);
    if (!figure) return [];
    return [`| ${words} | ${figure.ours} | ${figure.baseline ?? ''} |`];
  });
  return `\nOn ${machine()}; [docs/performance.md](docs/performance.md) has the rest.\n\n| | | beside it |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`;
}

function machine(): string {
  const [cpu] = cpus();
  const sqlite = new Database(':memory:');
  const version = sqlite.prepare('SELECT sqlite_version()').pluck().get();
  sqlite.close();
  const memory = Math.round(totalmem() / GIGABYTE);
  const name = cpu && cpu.model.trim() !== '' && cpu.model !== 'unknown' ? ` (${cpu.model.trim()})` : '';
  return `${cpus().length} cores${name}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}, SQLite ${version}`;
}

function section({ bench, figures }: Report): string {
  const [name = bench] = bench.split(' (');
  const { title, text } = ABOUT[name] ?? { title: bench, text: '' };
  const detail = bench.slice(name.length).trim();
  const rows = figures.map((figure) => [
    figure.what,
    figure.ours + (figure.spread === undefined ? '' : ` (${figure.spread})`),
    figure.baseline ?? '',
    figure.ratio === undefined ? '' : show(figure.ratio),
    figure.goal ?? '',
    figure.isMet === undefined ? '' : figure.isMet ? 'yes' : '**no**',
  ]);
  const head = ['what', 'ours (spread)', 'beside it', 'ratio', 'goal', 'met'];
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
  const bounds = figures.flatMap(({ what, bound, isMet }) =>
    isMet === false && bound !== undefined ? [`- Missed, *${what}*: ${bound}`] : [],
  );
  const why = bounds.length === 0 ? '' : `\n\n${bounds.join('\n')}`;
  return `## ${title}\n\n${text}${detail === '' ? '' : ` ${detail}`} Command: \`npm run bench:${name}\`.\n\n${table}${why}`;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 250;
const TOP = 24;
const BOTTOM = 48;
const COLOURS = ['#2f6f5e', '#b4562d', '#3b5b92', '#8a6d1f', '#7a3f6d'];

type Scale = (value: number) => number;

/** Both axes logarithmic: what does not grow is flat. */
export function performanceChart(reports: readonly Report[]): string {
  const curves = reports.flatMap(({ curves = [] }) => curves);
  const points = curves.flatMap(({ points }) => points);
  const x = scale(
    points.map(({ size }) => size),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    points.map(({ value }) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  const lines = curves.map((curve, index) =>
    line(curve, { x: x.at, y: y.at, colour: COLOURS[index % COLOURS.length] ?? '' }),
  );
  const legend = curves.map(({ name }, index) => {
    const top = TOP + 12 + index * 22;
    const colour = COLOURS[index % COLOURS.length];
    return `<rect x="${WIDTH - RIGHT + 24}" y="${top - 9}" width="12" height="12" rx="2" fill="${colour}"/><text x="${WIDTH - RIGHT + 44}" y="${top + 1}">${name}</text>`;
  });
  const across = x.ticks.map(
    (tick) =>
      `<line class="grid" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick.toLocaleString('en-US')}</text>`,
  );
  const up = y.ticks.map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text x="${LEFT - 8}" y="${y.at(tick) + 4}" text-anchor="end">${tick} ms</text>`,
  );
  const style =
    'text{font:12px system-ui,sans-serif;fill:#555}.grid{stroke:#999;stroke-opacity:.25}@media(prefers-color-scheme:dark){text{fill:#bbb}}';
  const label = `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">Events stored, or subscribers</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Cost against size"><style>${style}</style>${[...across, ...up, ...lines, ...legend, label].join('')}</svg>\n`;
}

/** Powers of ten around the values, and where each value is. */
function scale(values: readonly number[], from: number, to: number): { at: Scale; ticks: number[] } {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, n) => Number((10 ** (low + n)).toPrecision(1))),
  };
}

function line({ points }: Curve, { x, y, colour }: { x: Scale; y: Scale; colour: string }): string {
  const at = points.map(({ size, value }) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`);
  const dots = at.map(
    (point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${colour}"/>`,
  );
  return `<polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
}
