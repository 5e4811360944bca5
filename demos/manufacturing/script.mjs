// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.
import { openPage } from './page.mjs';

export const title = 'a report from the shop floor; a mail to the supplier that waits for the supervisor';

export async function outside(scene) {
  const page = await openPage(scene);
  // The stand-ins for chat, SMS and mail are on this machine.
  return { page, settings: { 'outbound.allow_private': true } };
}

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage, { page }) {
  stage.page('The phones, the chat, the SMS and the mail', page.url);
  await theDeskIsSetUp(stage, page);
  const anna = await stage.person('w-anna');
  page.connect({ url: () => stage.url, supervisor: anna });
  const draft = await aReportIsRaised(stage, page, anna);
  await approvingSendsNothing(stage, page, draft);
  await clearingDropsTheMail(stage, page, { anna, draft });
  await implicatingSendsIt(stage, page);
}

async function theDeskIsSetUp(stage, page) {
  stage.act('A quality desk between the shop floor, a chat, SMS and mail');
  stage.say('A small page stands in for the world outside.');
  await stage.call('create_stream', { id: 's-ncr-raised', name: 'NCRs raised', transport: 'webhook' });
  const reaching = [
    ['chat', { id: 's-supervisor', name: 'Supervisor' }],
    ['sms', { id: 's-customers', name: 'Customers' }],
    ['mail', { id: 's-supplier', name: 'Supplier', hold: true }],
  ];
  for (const [inbox, stream] of reaching) {
    const transport = { kind: 'webhook', config: { outbound_url: `${page.url}/in/${inbox}` } };
    const { secret } = await stage.call('create_stream', { ...stream, transport });
    page.trust(inbox, secret);
  }
  await hire(stage, { id: 'w-anna', role: 'supervisor', kind: 'human' });
  await hire(stage, { id: 'w-quality-bot', role: 'quality-bot', kind: 'ai' });
  await stage.until('the desk listens', stage.ended('w-quality-bot'));
}

/** @returns the id of the draft for the supplier */
async function aReportIsRaised(stage, page, anna) {
  stage.act('One report: one message to the supervisor, two to customers, none to the supplier');
  await stage.post('/webhooks/s-ncr-raised', compact(stage.text('reports/ncr-1042.json')));
  const draft = await stage.until('a mail to the supplier is drafted', on('s-supplier', ''));
  await stage.until('the supervisor is told', on('s-supervisor', 'NCR-1042'));
  await stage.until('the desk is done', stage.ended('w-quality-bot'));
  await reach(stage, page, 'chat', 1);
  await reach(stage, page, 'sms', 2);
  tell(stage, page, { chat: 1, sms: 2, mail: 0 });
  await isNow(stage, draft.id, 'held');
  const attention = await anna.page('/ui/attention');
  stage.must(`the draft waits for Anna on /ui/attention: "${SUBJECT}"`, attention.includes(SUBJECT));
  return draft.id;
}

async function approvingSendsNothing(stage, page, draft) {
  stage.act('A plain "approve" is confirmed, and sends nothing to the supplier');
  await answer(stage, page, { text: 'approve', ncr: 'NCR-1042' });
  await stage.until('the desk confirms', on('s-supervisor', 'confirmed: NCR-1042'));
  await stage.until('the desk is done', stage.ended('w-quality-bot'));
  await reach(stage, page, 'chat', 3);
  await isNow(stage, draft, 'held');
  tell(stage, page, { chat: 3, sms: 2, mail: 0 });
}

async function clearingDropsTheMail(stage, page, { anna, draft }) {
  stage.act('"clear supplier" drops the mail');
  await answer(stage, page, { text: 'clear supplier', ncr: 'NCR-1042' });
  await stage.until('the desk takes note', on('s-supervisor', 'noted: the mail about NCR-1042 is discarded'));
  await stage.until('the desk is done', stage.ended('w-quality-bot'));
  await isNow(stage, draft, 'discarded');
  const attention = await anna.page('/ui/attention');
  stage.must('nothing waits for Anna any more', !attention.includes(SUBJECT));
  await reach(stage, page, 'chat', 5);
  tell(stage, page, { chat: 5, sms: 2, mail: 0 });
}

async function implicatingSendsIt(stage, page) {
  stage.act('"implicate supplier", and nothing else, sends it');
  await stage.post('/webhooks/s-ncr-raised', compact(stage.text('reports/ncr-1043.json')));
  const draft = await stage.until('another mail is drafted', on('s-supplier', ''));
  await stage.until('the desk is done', stage.ended('w-quality-bot'));
  await reach(stage, page, 'sms', 4);
  stage.say('First an answer that only has the word in it:');
  await answer(stage, page, { text: 'approve. supplier ok', ncr: 'NCR-1043' });
  await stage.until('the desk confirms', on('s-supervisor', 'confirmed: NCR-1043'));
  await stage.until('the desk is done', stage.ended('w-quality-bot'));
  await isNow(stage, draft.id, 'held');
  await reach(stage, page, 'chat', 8);
  tell(stage, page, { chat: 8, sms: 4, mail: 0 });
  await answer(stage, page, { text: 'implicate supplier', ncr: 'NCR-1043' });
  await reach(stage, page, 'mail', 1);
  await stage.until('the desk takes note', on('s-supervisor', 'noted: the mail about NCR-1043'));
  await reach(stage, page, 'chat', 10);
  const [mail] = page.inboxes.mail;
  stage.must('what has left is the mail that was drafted', mail.event === draft.id);
  tell(stage, page, { chat: 10, sms: 4, mail: 1 });
  stage.say(`The supplier reads: "${mail.subject}"`);
}

async function answer(stage, page, said) {
  stage.say(`Anna answers in the chat: ${said.text}`);
  await page.answer(said);
}

async function isNow(stage, id, state) {
  const { outbound } = await stage.call('event_status', { id });
  stage.must(`the mail to the supplier is ${state}`, outbound?.[0]?.state === state);
}

const reach = (stage, { inboxes }, inbox, count) =>
  stage.happens(`${count} messages have reached the ${inbox}`, () => inboxes[inbox].length >= count);

function tell(stage, { inboxes: { chat, sms, mail } }, expected) {
  const isSo = chat.length === expected.chat && sms.length === expected.sms && mail.length === expected.mail;
  stage.must(
    `outside: ${chat.length} in the chat, ${sms.length} SMS to customers, ${mail.length} to the supplier`,
    isSo,
  );
}

const on = (streamId, opening) => (event) =>
  event.streamId === streamId && event.source === 'w-quality-bot' && event.body.startsWith(opening);

const SUBJECT = 'NCR-1042: bearing housing BH-7, lot L-2231';
const compact = (json) => JSON.stringify(JSON.parse(json));

async function hire(stage, { id, role, kind }) {
  await stage.call('create_role', { id: `r-${role}`, content: stage.text(`roles/${role}.md`) });
  await stage.call('create_position', { id: `p-${role}`, roleId: `r-${role}`, parentId: 'p-root' });
  const identityContent = stage.text(`workers/${id.slice(2)}.md`);
  await stage.call('hire_worker', { id, positionId: `p-${role}`, kind, identityContent });
}
