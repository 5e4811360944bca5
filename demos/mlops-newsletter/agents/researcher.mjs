import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { subscribePatiently } from './patience.mjs';

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return subscribePatiently(worker, 's-angles');
  if (!/^(angle|again): /.test(trigger.body)) return worker.say('Nothing for me to do.');
  worker.say(`An angle of ${trigger.source}: I look for five findings in the clippings.`);
  const found = search(trigger.body);
  const lines = found.map(({ from, text }, index) => `${index + 1}. **${from}**: ${text}`);
  if (found.length < 5) lines.push(`Only ${found.length} of our clippings are about this.`);
  await worker.use('publish', {
    streamId: 's-findings',
    threadId: trigger.thread_id,
    body: `findings: ${found.length} about this\n\n${lines.join('\n')}`,
  });
}

/** The clippings that share most words with the angle; those of a theme that it names come first. */
function search(angle) {
  const words = new Set(angle.toLowerCase().match(/[a-z-]{4,}/g));
  return readdirSync('clippings')
    .map((file) => clipping(readFileSync(join('clippings', file), 'utf8')))
    .map((each) => ({ ...each, weight: weightOf(each, words) }))
    .filter(({ weight }) => weight >= 100)
    .sort((a, b) => b.weight - a.weight || a.from.localeCompare(b.from))
    .slice(0, 5);
}

function clipping(content) {
  const [, theme = '', from = '', text = ''] = /^theme: (.+)\nfrom: (.+)\n\n([\s\S]+)$/.exec(content) ?? [];
  return { theme, from, text: text.trim().replaceAll('\n', ' ') };
}

const weightOf = ({ theme, text }, words) =>
  (words.has(theme) ? 100 : 0) + [...words].filter((word) => text.toLowerCase().includes(word)).length;
