// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSite } from './site.mjs';

const REPO = 'harbour-post/site';
const TEAM = ['reporter', 'copy-editor', 'fact-checker', 'seo-editor', 'publisher'];
const SEATS = ['p-reporter', 'p-copy-desk', 'p-fact-check', 'p-seo', 'p-publisher'];

export const title = 'two hires cast a newsroom of seven, and a story of the wire becomes a pull request';

/** The repository of the paper's site and the gh that reaches it; also with real agents, who shall not need one of their own. */
export async function outside(scene) {
  const site = await openSite(scene, REPO);
  scene.program('gh', new URL('gh.mjs', import.meta.url));
  return { site, settings: { 'transport.github': site.account } };
}

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage, { site }) {
  const team = await twoHiresBecomeATeam(stage);
  await aStoryGoesUp(stage, site, { title: 'A morning: from the wire to a pull request', item: 'wire-0411', team });
  await aColleagueAnswers(stage, team);
  await theRoleIsEditedLive(stage, site, team);
}

/** @returns who sits where */
async function twoHiresBecomeATeam(stage) {
  stage.act('Two hires become a newsroom of seven');
  for (const role of ['editor-in-chief', 'recruiter', ...TEAM])
    await stage.call('create_role', { id: `r-${role}`, content: stage.text(`roles/${role}.md`) });
  await stage.call('create_position', { id: 'p-editor-in-chief', roleId: 'r-editor-in-chief', parentId: 'p-root' });
  await stage.call('create_position', { id: 'p-recruiter', roleId: 'r-recruiter', parentId: 'p-root' });
  stage.say('The owner hires a recruiter and an editor-in-chief. Everybody else is their doing.');
  await hire(stage, 'w-renee', 'p-recruiter');
  await hire(stage, 'w-maya', 'p-editor-in-chief');
  const up = await stage.until('the newsroom is up', says('s-editorial', 'w-maya', 'Newsroom is up'));
  const request = await stage.until(
    'Maya asks for what she cannot give',
    (event) =>
      event.source === 'w-maya' && event.streamId === 's-dm-w-maya-w-owner' && event.body.includes('agent:Bash(gh *)'),
  );
  const team = await whoSitsWhere(stage);
  for (const worker of Object.values(team)) await stage.until(`${worker} has set itself up`, stage.ended(worker));
  await isAsTheRolesSay(stage, team);
  await candidatesAreOnFile(stage);
  stage.say(up.body);
  stage.say(`The one tool Maya could not hand on, because she does not hold it: "${request.body}"`);
  await stage.call('grant_tool', { workerId: team['p-publisher'], toolName: 'agent:Bash(gh *)' });
  return team;
}

async function whoSitsWhere(stage) {
  const team = {};
  for (const seat of SEATS) {
    const { workers } = await stage.call('get_position', { id: seat });
    stage.must(`one Worker sits at ${seat}: ${workers.map((each) => each.id ?? each)}`, workers.length === 1);
    team[seat] = workers[0].id ?? workers[0];
  }
  return team;
}

/** Each was hired by Maya, with the tools that its Role names and no others. */
async function isAsTheRolesSay(stage, team) {
  for (const [index, seat] of SEATS.entries()) {
    const { hiredBy } = await stage.call('get_worker', { id: team[seat] });
    const { grants } = await stage.call('list_worker_grants', { workerId: team[seat] });
    const tools = stage.text(`roles/${TEAM[index]}.md`).split('## Tools (MCP)\n')[1].split('\n## ')[0];
    const named = [...tools.matchAll(/^- `(\w+)`/gm)].map(([, tool]) => tool).sort();
    const held = grants.map(({ toolName }) => toolName).sort();
    stage.must(`${team[seat]} was hired by w-maya`, hiredBy === 'w-maya');
    stage.must(`${team[seat]} holds what its Role names, ${held.join(', ')}`, held.join() === named.join());
  }
}

/** What she called them is hers to choose; that there are three for each seat is not. */
async function candidatesAreOnFile(stage) {
  const { path } = await stage.call('get_worker_environment', { workerId: 'w-renee' });
  const folder = join(path, 'candidates');
  const files = existsSync(folder)
    ? readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md'))
    : [];
  stage.must(`Renée's folder has a file for each candidate: ${files.length}`, files.length === 3 * SEATS.length);
}

async function aStoryGoesUp(stage, site, { title, item, team }) {
  stage.act(title);
  if (item === 'wire-0411')
    for (const file of ['concert', 'harbour', 'bridge'])
      await stage.post('/webhooks/s-news-wire', JSON.stringify(JSON.parse(stage.text(`wire/${file}.json`))));
  stage.say('Nobody was woken by the wire. The clock does that, on weekdays at seven; the owner does not wait for it.');
  await stage.call('publish', { streamId: 's-tick-morning', body: 'It is time for the conference.' });
  const assignment = await stage.until('Maya assigns a story', says('s-bullpen', 'w-maya', 'assign: '));
  stage.must(`Maya has chosen ${item}`, assignment.body.includes(item));
  await stage.until('the reporter has written', says('s-drafts', team['p-reporter'], 'draft: '));
  const edited = await stage.until('the copy desk has cut', says('s-fact-check', team['p-copy-desk'], 'edited: '));
  stage.must('the copy desk left no word that goes', !/\b(massive|very|iconic)\b/i.test(edited.body));
  await stage.until('the numbers are checked', says('s-seo-pass', team['p-fact-check'], 'checked: '));
  await stage.until('it has a headline', says('s-editorial', team['p-seo'], 'ready: '));
  await stage.until('Maya says go', says('s-editorial', 'w-maya', 'go: '));
  const { body: url } = await stage.until('it is up for the site', says('s-published', team['p-publisher'], 'http'));
  const pull = site.pulls.find((each) => each.html_url === url);
  stage.must(`${url} is a pull request of the repository`, pull !== undefined);
  stage.must('nobody merged', site.merges.length === 0);
  await stage.until('the publisher is done', stage.ended(team['p-publisher']));
  stage.say(`Pull request ${pull.number}, "${pull.title}", for a person to merge:`);
  for (const line of site.file(pull.head, `stories/${item}.md`).trim().split('\n')) stage.say(`  ${line}`);
}

async function aColleagueAnswers(stage, team) {
  stage.act('Ask anybody');
  await stage.call('dm', { toWorkerId: team['p-reporter'], body: 'What are you working on?' });
  const answer = await stage.until(
    'the reporter answers',
    (event) => event.source === team['p-reporter'] && event.streamId.startsWith('s-dm-'),
  );
  stage.say(`${answer.source}: ${answer.body}`);
  await stage.until('its run ends', stage.ended(team['p-reporter']));
  const { events } = await stage.call('worker_log', { workerId: team['p-reporter'], limit: 5 });
  stage.must(
    'its log shows how the run ended',
    events.some(({ body }) => body === '=== exit: ok ==='),
  );
  stage.say(
    `Its log says how: ${events
      .map(({ body }) => body.slice(0, 40))
      .reverse()
      .join(' · ')}`,
  );
}

async function theRoleIsEditedLive(stage, site, team) {
  const role = stage
    .text('roles/editor-in-chief.md')
    .replace('1. bridge\n2. water\n3. school', '1. harbour\n2. bridge\n3. water');
  await stage.call('update_role', { roleId: 'r-editor-in-chief', content: role });
  await aStoryGoesUp(stage, site, {
    title: 'The paper covers something else as soon as the Role says so',
    item: 'wire-0413',
    team,
  });
}

const says = (streamId, workerId, opening) => (event) =>
  event.streamId === streamId && event.source === workerId && event.body.startsWith(opening);

async function hire(stage, id, positionId) {
  await stage.call('hire_worker', {
    id,
    positionId,
    kind: 'ai',
    identityContent: stage.text(`workers/${id.slice(2)}.md`),
  });
}
