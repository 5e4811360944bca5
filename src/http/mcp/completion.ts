// Completion of ids, for the arguments of prompts and of resource templates: only of what the caller may see.
import type { Org } from '../../domain/org.ts';
import type { Completes } from '../../prompts/define-prompt.ts';
import type { Prompts } from '../../prompts/prompts.ts';
import type { McpAnswers } from './answers.ts';
import { listFiles } from './folder-files.ts';
import { type ResourceDeps, readableRoles, readableStreams, TEMPLATES } from './resources.ts';

/** As many as the protocol allows. */
const VALUES_MAX = 100;

export type CompletionDeps = ResourceDeps & { prompts: Prompts };

export function completionAnswers(deps: CompletionDeps): Pick<McpAnswers, 'completion/complete'> {
  const { journal, folders, prompts } = deps;
  const candidates = async (
    workerId: string,
    ref: { type: string; name?: string; uri?: string },
    argument: string,
  ): Promise<string[]> => {
    if (ref.type === 'ref/prompt') {
      const prompt = prompts.visibleTo(workerId).find(({ name }) => name === ref.name);
      const completes = prompt?.arguments.find(({ name }) => name === argument)?.completes;
      return completes ? idsOf(journal.org, workerId, completes) : [];
    }
    if (ref.uri === TEMPLATES.role) return readableRoles(journal.org, workerId);
    if (ref.uri === TEMPLATES.stream) return readableStreams(journal.org, workerId);
    if (ref.uri === TEMPLATES.file) return (await listFiles(folders.pathOf(workerId))).map(({ path }) => path);
    return [];
  };
  return {
    async 'completion/complete'({ ref, argument: { name, value } }, { workerId }) {
      const all = fitting(await candidates(workerId, ref, name), value);
      const values = all.slice(0, VALUES_MAX);
      return { completion: { values, total: all.length, hasMore: all.length > values.length } };
    },
  };
}

function idsOf(org: Org, workerId: string, kind: Completes): string[] {
  switch (kind) {
    case 'role':
      return readableRoles(org, workerId);
    case 'stream':
      return readableStreams(org, workerId);
    case 'worker':
      return [...org.workers].flatMap(([id, { firedAt }]) => (firedAt === null ? [id] : [])).sort();
  }
}

/** What begins with the value, then what has it inside; in any case. */
function fitting(candidates: readonly string[], value: string): string[] {
  const wanted = value.toLowerCase();
  const begins = candidates.filter((each) => each.toLowerCase().startsWith(wanted));
  const holds = candidates.filter((each) => each.toLowerCase().includes(wanted));
  return [...new Set([...begins, ...holds])];
}
