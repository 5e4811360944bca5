// What Codex knows of models, changed in one point: tools of MCP servers are before the model from its first turn on. Left
// to itself, it hides them behind a search for most models.
import { askProgram } from './program-version.ts';

/** The last answer and what was made of it, which takes 20 ms. */
let last: { answer: string; catalog: string | undefined } | undefined;

/** The catalog as JSON; undefined where the program does not print one, which then shows tools as it likes. */
export async function modelCatalog(file: string): Promise<string | undefined> {
  const answer = await askProgram(file, ['debug', 'models', '--bundled']);
  if (answer === null) return undefined;
  if (last?.answer !== answer) last = { answer, catalog: changed(answer) };
  return last.catalog;
}

function changed(answer: string): string | undefined {
  try {
    const { models } = JSON.parse(answer) as { models?: object[] };
    if (!Array.isArray(models)) return undefined;
    return JSON.stringify({ models: models.map((model) => ({ ...model, supports_search_tool: false })) });
  } catch {
    return undefined;
  }
}
