import { memory, once, remember, section, tableOf } from '../../role-text.mjs';

const HEADLINE_MAX = 60;

export async function act(trigger, worker) {
  const { stream, source, body } = trigger;
  if (trigger.kind === 'hire') return buildTheNewsroom(worker);
  if (stream === 's-recruiting' && body.startsWith('shortlist: ')) return hireTheBest(trigger, worker);
  if (stream === 's-tick-morning') return assign(worker);
  if (stream === 's-editorial' && body.startsWith('ready: ')) return decide(trigger, worker);
  worker.say(`Nothing for me to do with what ${source} says.`);
}

async function buildTheNewsroom(worker) {
  worker.say('I was just hired: I open the Streams, make the seats and ask for people.');
  for (const [id, transport, description] of tableOf(worker.role, 'Streams')) {
    const [kind, ...schedule] = transport.split(' ');
    const reach = kind === '' ? {} : { transport: { kind, ...(kind === 'cron' ? cron(schedule.join(' ')) : {}) } };
    await once(worker, 'create_stream', { id, name: id.slice(2), description, ...reach });
  }
  for (const [id, roleId, parentId] of tableOf(worker.role, 'The team'))
    await once(worker, 'create_position', { id, roleId, parentId });
  for (const streamId of ['s-editorial', 's-recruiting', 's-tick-morning']) await worker.use('subscribe', { streamId });
  await worker.use('invite_workers', { streamId: 's-recruiting', workerIds: ['w-renee'] });
  for (const [seat, role, , wanted] of tableOf(worker.role, 'The team'))
    await worker.use('publish', {
      streamId: 's-recruiting',
      threadId: seat,
      body: `wanted: for ${seat} (${role}), somebody with ${wanted}`,
    });
}

const cron = (schedule) => ({
  config: { schedule, timezone: 'Europe/Oslo', message: 'It is time for the conference.' },
});

async function hireTheBest({ thread_id: seat, body }, worker) {
  const row = tableOf(worker.role, 'The team').find(([id]) => id === seat);
  if (!row) return worker.say(`I know no seat ${seat}.`);
  const wanted = row[3].split(', ');
  const hits = (portrait) => wanted.filter((word) => portrait.toLowerCase().includes(word)).length;
  const candidates = [...body.matchAll(/^- \*\*(.+?)\*\*: (.+)$/gm)].map(([, name, portrait]) => ({ name, portrait }));
  const best = candidates.reduce((a, b) => (hits(b.portrait) > hits(a.portrait) ? b : a));
  worker.say(`For ${seat} I take ${best.name}, of ${candidates.map(({ name }) => name).join(', ')}.`);
  const identityContent = `You are ${best.name}. ${best.portrait}\n`;
  await once(worker, 'hire_worker', { id: idOf(best.name), positionId: seat, kind: 'ai', identityContent });
  await announce(worker);
}

/** Once, when all seats are filled. */
async function announce(worker) {
  const { workers } = await worker.use('list_workers', {});
  const seats = tableOf(worker.role, 'The team').map(([seat]) => seat);
  const holders = seats.map((seat) =>
    workers.find(({ positions }) => positions.some((each) => (each.id ?? each.positionId ?? each) === seat)),
  );
  if (holders.includes(undefined)) return;
  const team = holders.map(({ id }, index) => `${id} (${seats[index].slice(2)})`).join(', ');
  const publisher = holders[seats.indexOf('p-publisher')].id;
  await worker.use('publish', { streamId: 's-editorial', body: `Newsroom is up: w-maya, w-renee, ${team}` });
  await worker.use('dm', {
    toWorkerId: 'w-owner',
    body: `${publisher} needs agent:Bash(gh *) to open pull requests. I do not hold it, so I cannot give it; please do.`,
  });
}

async function assign(worker) {
  const { events } = await worker.use('read_events', { streamId: 's-news-wire' });
  const items = events.map(({ body }) => JSON.parse(body)).reverse();
  const covered = section(worker.role, 'What we cover').match(/(?<=^\d+\. ).+$/gm) ?? [];
  const rank = ({ topic }) => (covered.includes(topic) ? covered.indexOf(topic) : Number.POSITIVE_INFINITY);
  const [first] = items
    .filter((item) => rank(item) < Number.POSITIVE_INFINITY && !memory().includes(`assigned ${item.id}\n`))
    .sort((a, b) => rank(a) - rank(b));
  if (!first) return worker.say(`Nothing of ${items.length} items is for us today.`);
  worker.say(`Of ${items.length} items on the wire I take ${first.id}: ${covered[rank(first)]} comes first.`);
  await worker.use('publish', { streamId: 's-bullpen', threadId: first.id, body: `assign: ${JSON.stringify(first)}` });
  remember(`assigned ${first.id}`);
}

async function decide({ thread_id: threadId, subject, body }, worker) {
  const text = body.slice('ready: '.length);
  if (subject.length > HEADLINE_MAX) {
    worker.say(`The headline has ${subject.length} characters.`);
    return worker.use('publish', { streamId: 's-seo-pass', threadId, body: `again: ${text}` });
  }
  worker.say(`"${subject}" is true, short and ours: go.`);
  await worker.use('publish', { streamId: 's-editorial', threadId, subject, body: `go: ${text}` });
}

const idOf = (name) => `w-${name.toLowerCase()}`;
