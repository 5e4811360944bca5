import { subscribePatiently } from './patience.mjs';

export async function act(trigger, worker) {
  if (trigger.kind === 'hire') return subscribePatiently(worker, 's-findings');
  if (!trigger.body.startsWith('findings: ')) return worker.say('Nothing for me to do.');
  worker.say(`Findings of ${trigger.source}: I look up the angle and write.`);
  const { events } = await worker.use('read_events', { streamId: 's-angles', thread: trigger.thread_id });
  const angle = events.find(({ body }) => body.startsWith('angle: '))?.body.slice(7);
  const findings = [...trigger.body.matchAll(/^\d+\. \*\*(.+?)\*\*: (.+)$/gm)].map(([, from, text]) => ({
    from,
    text,
  }));
  const body = `draft: ${article(angle, findings)}`;
  await worker.use('publish', { streamId: 's-drafts', threadId: trigger.thread_id, body });
}

const BRIDGES = [
  (from, text) => `Start with **${from}**. ${text}`,
  (from, text) => `**${from}** came at it from another side. ${text}`,
  (from, text) => `Then there is **${from}**. ${text}`,
  (from, text) => `At **${from}** the change was a small one. ${text}`,
  (from, text) => `The last word has **${from}**. ${text}`,
];

/** About 250 words: the question, the findings, and what to do on Monday. */
function article(angle, findings) {
  const [, reader, question] = /^(?:.+?, for (.+?)): (.+)$/.exec(angle) ?? ['', 'you', angle];
  const paragraphs = findings.map(({ from, text }, index) => BRIDGES[index % BRIDGES.length](from, text));
  return [
    `${question[0].toUpperCase()}${question.slice(1)} We asked around on behalf of ${reader}. ${findings.length} teams answered, none of them with a product name.`,
    ...paragraphs,
    `None of this needs a platform, a budget or a reorganisation. It needs an afternoon, and somebody who is allowed to use it.`,
    `**On Monday:** take the one model you would least like to explain to a customer, and do for it what ${findings[0].from} did. Write down how long it took and what you found. If it took less than a day, take the next model on Tuesday.`,
  ].join('\n\n');
}
