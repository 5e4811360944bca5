// What the demo does, step by step. `stage` (src/cli/stage.ts) runs the daemon, calls tools as the owner and tells what happens.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const title = 'an editor, a researcher and a journalist make a newsletter out of one brief';

/** @param {import('../../src/cli/stage.ts').Stage} stage */
export async function run(stage) {
  await theDeskIsSetUp(stage);
  const first = await aBriefBecomesALetter(stage, 'A brief becomes a newsletter', stage.text('briefs/first.md'));
  const second = await aBriefBecomesALetter(
    stage,
    'A sharper brief gets another angle',
    stage.text('briefs/sharper.md'),
  );
  stage.must('the sharper brief was given another angle', first !== second);
  stage.say(`Before: ${first}`);
  stage.say(`Now:    ${second}`);
}

async function theDeskIsSetUp(stage) {
  stage.act('Three Workers set up their desk themselves');
  stage.say('The owner hires. Which Streams there are is in the Role of the editor, who is hired last.');
  await hire(stage, 'w-ravi', 'researcher');
  await hire(stage, 'w-jo', 'journalist');
  await stage.until('w-ravi finds no Stream yet', stage.line('w-ravi', 'record not found'));
  await stage.until('w-jo finds no Stream yet', stage.line('w-jo', 'record not found'));
  await hire(stage, 'w-edith', 'editor');
  for (const worker of ['w-edith', 'w-ravi', 'w-jo']) await stage.until(`${worker} listens`, stage.ended(worker));
  const { path } = await stage.call('get_worker_environment', { workerId: 'w-ravi' });
  cpSync(fileURLToPath(new URL('clippings', import.meta.url)), join(path, 'clippings'), { recursive: true });
  stage.say("The archive of clippings is put into w-ravi's folder.");
}

/** @returns the angle */
async function aBriefBecomesALetter(stage, title, brief) {
  stage.act(title);
  await stage.call('publish', { streamId: 's-briefs', body: brief });
  const angle = await stage.until('the editor has an angle', says('s-angles', 'w-edith', 'angle: '));
  const findings = await stage.until('the researcher has found something', says('s-findings', 'w-ravi', 'findings: '));
  const named = findings.body.match(/^\d+\. \*\*.+?\*\*/gm)?.length ?? 0;
  stage.must(`there are five named findings: ${named}`, named === 5);
  const draft = await stage.until('the journalist has written', says('s-drafts', 'w-jo', 'draft: '));
  const words = draft.body.split(/\s+/).length - 1;
  stage.must(`the draft has about 250 words: ${words}`, words >= 200 && words <= 300);
  const letter = await stage.until('the newsletter goes out', says('s-newsletter', 'w-edith', 'newsletter: '));
  const order = [angle, findings, draft, letter].map(({ seq }) => seq);
  stage.must('they came in this order', order.join() === order.toSorted((a, b) => a - b).join());
  await stage.until('the editor is done', stage.ended('w-edith'));
  for (const line of letter.body.split('\n')) stage.say(line);
  return angle.body;
}

const says = (streamId, workerId, opening) => (event) =>
  event.streamId === streamId && event.source === workerId && event.body.startsWith(opening);

async function hire(stage, id, role) {
  await stage.call('create_role', { id: `r-${role}`, content: stage.text(`roles/${role}.md`) });
  await stage.call('create_position', { id: `p-${role}`, roleId: `r-${role}`, parentId: 'p-root' });
  const identityContent = stage.text(`workers/${id.slice(2)}.md`);
  await stage.call('hire_worker', { id, positionId: `p-${role}`, kind: 'ai', identityContent });
}
