// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.

export const title = 'an Event wakes an AI Worker; its Role is edited live; a loop is stopped; a crash loses nothing';

/** Settings the daemon of this demo runs with: a short leash, so that the loop ends soon. */
export const settings = { 'dispatch.max_hops': 4 };

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage) {
  await anEventWakesAWorker(stage);
  await theRoleIsEditedLive(stage);
  await aLoopIsStopped(stage);
  await aCrashLosesNothing(stage);
}

async function anEventWakesAWorker(stage) {
  stage.act('An event wakes an AI Worker that answers');
  stage.say('The owner makes a Stream, a Role, a Position, and hires w-echo into it, all through MCP tools.');
  await stage.call('create_stream', { id: 's-general', name: 'general', transport: 'webhook' });
  await stage.hire('echo');

  stage.say('Now the owner publishes "hello".');
  await stage.call('publish', { streamId: 's-general', body: 'hello' });
  await stage.until('w-echo answers', stage.published('w-echo', 'echo: hello'));
  await stage.until('its run ends', stage.ended('w-echo'));

  stage.say('The same Stream has a URL. A program outside posts to it.');
  await stage.post('/webhooks/s-general', 'order 17 has arrived');
  await stage.until('w-echo answers', stage.published('w-echo', 'echo: order 17 has arrived'));
  await stage.until('its run ends', stage.ended('w-echo'));
}

async function theRoleIsEditedLive(stage) {
  stage.act('Behaviour lives in the Role');
  stage.say('The owner rewrites the Role while everything runs. Nothing is restarted.');
  await stage.call('update_role', { roleId: 'r-echo', content: stage.text('roles/echo-loud.md') });
  await stage.call('publish', { streamId: 's-general', body: 'hello' });
  await stage.until('w-echo follows the new text', stage.published('w-echo', 'loud: HELLO'));
  await stage.until('its run ends', stage.ended('w-echo'));
}

async function aLoopIsStopped(stage) {
  stage.act('Two Workers that answer each other are stopped');
  stage.say(
    `w-ping and w-pong send everything back to each other. The limit here is ${settings['dispatch.max_hops']} hops.`,
  );
  await stage.call('create_stream', { id: 's-ping', name: 'ping' });
  await stage.call('create_stream', { id: 's-pong', name: 'pong' });
  await stage.hire('ping');
  await stage.hire('pong');
  await stage.call('publish', { streamId: 's-ping', body: 'ball' });
  const notice = await stage.until('the owner is told', stage.noticed('Loop stopped'));
  stage.say(`Nobody was woken by the last ball. It is held, and the owner has one notice: "${notice.subject}".`);
}

async function aCrashLosesNothing(stage) {
  stage.act('kill -9 in the middle of a run loses nothing');
  await stage.call('publish', { streamId: 's-general', body: 'slowly: are you still there?' });
  await stage.until(
    'w-echo is in the middle of it',
    stage.line('w-echo', stage.isScripted ? 'This one needs some thought' : '--- session start ---'),
  );
  await stage.post('/webhooks/s-general', 'posted just before the crash');
  await stage.crash();
  await stage.restart();
  await stage.until(
    'the cut-off work is done after all',
    stage.published('w-echo', 'loud: SLOWLY: ARE YOU STILL THERE?'),
  );
  await stage.until('and so is what came last', stage.published('w-echo', 'loud: POSTED JUST BEFORE THE CRASH'));
  await stage.until('w-echo is done', stage.ended('w-echo'));
  await stage.verify();
}
