import { section } from '../../role-text.mjs';

export async function act({ kind, stream, source, thread_id: threadId, subject, body }, worker) {
  if (kind === 'hire')
    return worker.use('subscribe', { streamId: 's-editorial', filter: { from: ['w-maya'], body: ['go:'] } });
  if (stream !== 's-editorial' || source !== 'w-maya' || !body.startsWith('go: '))
    return worker.say('Nothing for me to do.');
  const [repo] = section(worker.role, 'Repository').split(',');
  const gh = (...args) => worker.run('gh', args).trim();
  const branch = `story-${threadId}`;
  const content = `# ${subject}\n\n${body.slice('go: '.length)}\n`;
  const url = existing(gh, repo, branch) ?? putUp(gh, { repo, branch, threadId, headline: subject, content });
  worker.say(`${url} is up; a person merges it.`);
  await worker.use('publish', { streamId: 's-published', threadId, subject, body: url });
}

/** A run that was cut off may have opened it already. */
const existing = (gh, repo, branch) =>
  JSON.parse(gh('pr', 'list', '--repo', repo, '--head', branch, '--json', 'url'))[0]?.url;

function putUp(gh, { repo, branch, threadId, headline, content }) {
  const main = gh('api', `repos/${repo}/git/ref/heads/main`, '--jq', '.object.sha');
  try {
    gh('api', `repos/${repo}/git/refs`, '-f', `ref=refs/heads/${branch}`, '-f', `sha=${main}`);
  } catch (error) {
    if (!error.message.includes('already exists')) throw error;
  }
  const fields = [`message=${headline}`, `branch=${branch}`, `content=${Buffer.from(content).toString('base64')}`];
  const path = `repos/${repo}/contents/stories/${threadId}.md`;
  gh('api', path, '--method', 'PUT', ...fields.flatMap((field) => ['-f', field]));
  const text = ['--title', headline, '--body', `One story, ${threadId}. For a person to merge.`];
  return gh('pr', 'create', '--repo', repo, '--head', branch, '--base', 'main', ...text);
}
