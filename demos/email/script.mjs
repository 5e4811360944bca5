// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.
import { openPostmark } from '../stand-ins/postmark.mjs';

export const title = 'a customer writes; support asks an engineer by mail and answers; one thread, no echo';

export const needs = [
  {
    setting: 'transport.postmark',
    what: 'your Postmark server, as {"token": "…", "inbound": "<hash>@inbound.postmarkapp.com", "from": "support@your.domain"}; docs/transports.md says where to find each.',
  },
  { variable: 'HELIX_DEMO_CUSTOMER', what: 'the mail address that you will write from, as the customer.' },
  {
    option: '--public-url',
    what: 'the https address at which Postmark reaches this machine, such as a tunnel to the port of --addr; its inbound webhook is that address with /email/postmark.',
  },
];

const CUSTOMER = 'ada@kunde.example';

/** @param {import('../../src/cli/stand-in.ts').Scene} scene */
export async function outside(scene) {
  if (scene.isLive) {
    const account = JSON.parse(scene.environment.HELIX_ORG_TRANSPORT_POSTMARK);
    return { customer: scene.environment.HELIX_DEMO_CUSTOMER, inbound: account.inbound };
  }
  const postmark = await openPostmark(scene, 'support@acme.example');
  const { account } = postmark;
  return { postmark, customer: CUSTOMER, inbound: account.inbound, settings: { 'transport.postmark': account } };
}

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage, { postmark, customer, inbound }) {
  const address = (alias) => inbound.replace('@', `+${alias}@`);
  await twoAliases(stage, address);
  postmark?.connect(stage.url);
  const mails = await fourHops(stage, { postmark, customer, address });
  await oneThread(stage, mails);
  if (postmark) noEcho(stage, { postmark, customer });
}

async function twoAliases(stage, address) {
  stage.act('Two Workers with a mail address each');
  await stream(stage, 'support', 'sam', 'Sam of Acme');
  await stream(stage, 'engineer', 'engineer', 'Engineering at Acme');
  // The Role names the address of the engineer, as somebody would write it down for a new colleague.
  const role = stage.text('roles/support.md').replace('{engineer}', address('engineer'));
  await hire(stage, { name: 'sam', role: 'support', text: role });
  await hire(stage, { name: 'lee', role: 'engineer', text: stage.text('roles/engineer.md') });
}

const stream = (stage, name, alias, from) =>
  stage.call('create_stream', {
    id: `s-${name}`,
    name,
    transport: { kind: 'email', config: { alias, from_name: from } },
  });

async function hire(stage, { name, role, text }) {
  await stage.call('create_role', { id: `r-${role}`, content: text });
  await stage.call('create_position', { id: `p-${role}`, roleId: `r-${role}`, parentId: 'p-root' });
  const identityContent = stage.text(`workers/${name}.md`);
  await stage.call('hire_worker', { id: `w-${name}`, positionId: `p-${role}`, kind: 'ai', identityContent });
  await stage.until(`w-${name} has set itself up`, stage.ended(`w-${name}`));
}

/** @returns the four mails as Events, in their order */
async function fourHops(stage, { postmark, customer, address }) {
  stage.act('A customer writes to support');
  if (postmark) {
    await postmark.write({
      from: customer,
      name: 'Ada Kunde',
      to: address('sam'),
      subject: 'The export stops at 1000 rows',
      text: 'Hello,\n\nyour export ends after 1000 rows, and we have 40,000. Is there a way around it?\n\nAda',
    });
  } else {
    stage.say(`Now write a mail from ${customer} to ${address('sam')}, with a question that an engineer must answer.`);
  }
  const question = await stage.until('the mail of the customer is here', on('s-support', ''));
  const asked = await stage.until('w-sam asks the engineer', on('s-support', 'w-sam'));
  await stage.until('that mail has come to w-lee', on('s-engineer', ''));
  const answer = await stage.until('w-lee answers', on('s-engineer', 'w-lee'));
  stage.must(`w-lee's mail is called "${answer.subject}"`, /^\[eng\] Re: /.test(answer.subject ?? ''));
  await stage.until('the answer has come to w-sam', on('s-support', ''));
  const told = await stage.until('w-sam writes to the customer', on('s-support', 'w-sam'));
  await stage.quiet();
  return [question, asked, answer, told];
}

const on = (streamId, source) => (event) => event.streamId === streamId && event.source === source;

async function oneThread(stage, mails) {
  stage.act('Four hops, three mails, one conversation');
  const threads = new Set();
  for (const { id, subject } of mails) {
    const { message } = await stage.look('get_event', { id });
    // A mail that answers nothing begins a thread, which has its id.
    const thread = message.thread_id ?? message.message_id;
    threads.add(thread);
    stage.say(`${message.from} → ${message.to.join(', ')}   "${subject}"   thread ${thread}`);
  }
  stage.must('all four belong to one thread', threads.size === 1 && !threads.has(undefined));
  for (const { id } of mails.slice(1)) {
    const isDelivered = async () => {
      const { outbound } = await stage.look('event_status', { id });
      return outbound?.[0]?.state === 'delivered';
    };
    await stage.happens('every mail has left', isDelivered);
  }
}

function noEcho(stage, { postmark, customer }) {
  const { sent, answers, headerOf } = postmark;
  stage.must('Postmark sent three mails', sent.length === 3);
  stage.must(`the last one went to the customer, ${customer}`, sent[2].To === customer);
  const roots = new Set(sent.map((mail) => headerOf(mail, 'References')?.split(' ')[0]));
  stage.must("mail programs will file them below the customer's mail", roots.size === 1 && !roots.has(undefined));
  stage.must('each of three mails came in twice and was taken once', answers.length === 6 && landed(stage) === 3);
  stage.must('nobody answered his own mail: no echo', stage.events().filter(isMail).length === 6);
}

const isMail = ({ streamId }) => streamId === 's-support' || streamId === 's-engineer';
const landed = (stage) => stage.events().filter((event) => isMail(event) && event.source === '').length;
