import { mkdirSync, writeFileSync } from 'node:fs';
import { candidates } from './candidates.mjs';

export async function act({ kind, stream, body, thread_id: seat }, worker) {
  if (kind === 'hire' || stream !== 's-recruiting' || !body.startsWith('wanted: '))
    return worker.say('Nothing for me to do yet.');
  const three = candidates[seat];
  if (!three) return worker.say(`I know nobody for ${seat}.`);
  mkdirSync('candidates', { recursive: true });
  for (const [name, portrait] of three)
    writeFileSync(`candidates/${seat.slice(2)}-${name.toLowerCase()}.md`, `# ${name}\n\nFor ${seat}. ${portrait}\n`);
  worker.say(`Three for ${seat}: ${three.map(([name]) => name).join(', ')}.`);
  const lines = three.map(([name, portrait]) => `- **${name}**: ${portrait}`).join('\n');
  await worker.use('publish', {
    streamId: 's-recruiting',
    threadId: seat,
    body: `shortlist: three for ${seat}\n\n${lines}`,
  });
}
