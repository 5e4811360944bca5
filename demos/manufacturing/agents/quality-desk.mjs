import { memory, remember } from '../../role-text.mjs';

const ANSWERS = '`approve`, `implicate supplier`, `clear supplier`';

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return listen(worker);
  if (trigger.stream === 's-ncr-raised') return tellEverybody(trigger, worker);
  if (trigger.stream === 's-supervisor' && trigger.source === undefined) return heed(trigger, worker);
  worker.say('Nothing for me to do.');
}

async function listen(worker) {
  await worker.use('subscribe', { streamId: 's-ncr-raised' });
  await worker.use('subscribe', { streamId: 's-supervisor' });
}

async function tellEverybody({ body }, worker) {
  const report = read(body);
  if (!report?.ncr || !Array.isArray(report.orders)) return worker.say('This is no report; I leave it.');
  const { ncr, part, lot, defect, action, supplier, orders } = report;
  worker.say(`${ncr} was raised: supervisor, ${orders.length} customers, and a draft for the supplier.`);
  const told = async (step, message) => {
    if (isDone(`${ncr} ${step}`)) return;
    await worker.use('publish', { threadId: ncr, ...message });
    remember(`${ncr} ${step}`);
  };
  await told('supplier', {
    streamId: 's-supplier',
    to: [supplier],
    subject: `${ncr}: ${part}, lot ${lot}`,
    body: `In lot ${lot} of ${part} we measured: ${defect}. Please check the rest of the lot at your side and tell us what you find.`,
  });
  await told('supervisor', {
    streamId: 's-supervisor',
    subject: ncr,
    body: `${ncr}: ${part}, lot ${lot}: ${defect}. I propose: ${action}. Affected: ${orders.map(({ order, customer }) => `${order} (${customer})`).join(', ')}. A mail to ${supplier} is drafted and waits for you. Answer ${ANSWERS}.`,
  });
  for (const { order, phone } of orders) {
    await told(`customer ${order}`, {
      streamId: 's-customers',
      to: [phone],
      body: `Your order ${order} will be late: we found parts in it today that are not as they should be. We sort them now and tell you the new date by tomorrow noon.`,
    });
  }
}

async function heed({ body }, worker) {
  const { text, ncr } = answerOf(body, worker);
  const said = text.trim().toLowerCase();
  const reply = (words) =>
    worker.use('publish', { streamId: 's-supervisor', threadId: ncr, subject: ncr, body: words });
  worker.say(`The supervisor answers "${text}" to ${ncr}.`);
  const { events } = await worker.use('read_events', { streamId: 's-supplier', thread: ncr });
  const draft = events[0];
  if (!draft) return reply(`I know no report ${ncr}.`);
  const { outbound } = await worker.use('event_status', { id: draft.id });
  const state = outbound?.[0]?.state ?? 'not sent';
  if (said === 'implicate supplier' || said === 'clear supplier')
    return reply(`noted: the mail about ${ncr} is ${state}.`);
  if (said.startsWith('approve'))
    return reply(
      `confirmed: ${ncr} goes ahead as proposed. The mail to the supplier is ${state}; it leaves only on your word.`,
    );
  await reply(`About ${ncr} I understand ${ANSWERS}.`);
}

/** The chat sends `{"text", "ncr"}`; a plain text is about the latest report. */
function answerOf(body) {
  const { text = body, ncr = latest() } = read(body) ?? {};
  return { text: String(text), ncr: String(ncr) };
}

function read(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const isDone = (step) => memory().includes(`${step}\n`);
const latest = () => [...memory().matchAll(/ (NCR-\S+) supervisor$/gm)].at(-1)?.[1] ?? '';
