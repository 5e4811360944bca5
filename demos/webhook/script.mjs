// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.

export const title = 'a program outside posts; an AI Worker tells the owner and another program';

/** Streams choose where to send, so this machine is refused as a target unless the owner allows it. */
export const settings = { 'outbound.allow_private': true };

/** The program that takes what leaves. @param {import('../../src/cli/stand-in.ts').Scene} scene */
export async function outside(scene) {
  const receiver = await scene.listen(({ body }) => {
    scene.say(`the receiver got  ${body}`);
    return { status: 200 };
  });
  return { receiver };
}

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage, { receiver }) {
  stage.act('Two Streams with a door to the outside');
  stage.say(
    'Whatever is posted to the URL of s-inbox becomes an Event. What is published on s-outbox is posted to a receiver.',
  );
  await stage.call('create_stream', { id: 's-inbox', name: 'inbox', transport: 'webhook' });
  await stage.call('create_stream', {
    id: 's-outbox',
    name: 'outbox',
    transport: { kind: 'webhook', config: { outbound_url: `${receiver.url}/catch` } },
  });
  await stage.hire('secretary');

  stage.act('A program outside posts');
  const order = { order: 17, customer: 'Ada', item: 'three oak tables', note: 'needed by Friday' };
  await stage.post('/webhooks/s-inbox', JSON.stringify(order), { 'content-type': 'application/json' });
  await stage.until('w-secretary publishes a summary on s-outbox', (event) => isBy(event, 's-outbox'));
  await stage.until('w-secretary writes to the owner', (event) => isToOwner(event));
  const [caught] = await stage.happens('the receiver gets it', () => receiver.requests.length > 0 && receiver.requests);
  const message = JSON.parse(caught.body);
  stage.must('the receiver got a message from w-secretary', message.from === 'w-secretary' && message.body !== '');
  await stage.quiet();
  stage.must('one post led to one direct message to the owner', stage.events().filter(isToOwner).length === 1);
  stage.must('and to one post to the receiver', receiver.requests.length === 1);

  stage.act('The receiver is told apart from anybody else');
  const { 'webhook-id': id, 'webhook-signature': signature, 'x-helix-stream': stream } = caught.headers;
  stage.must(`the post is signed (webhook-id ${id})`, Boolean(signature) && stream === 's-outbox');
}

const isBy = ({ source, streamId }, id) => source === 'w-secretary' && streamId === id;
const isToOwner = ({ source, streamId }) =>
  source === 'w-secretary' && streamId.startsWith('s-dm-') && streamId.includes('w-owner');
