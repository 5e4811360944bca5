import type { Tool } from './define-tool.ts';
import { inputSchema } from './tool-schema.ts';

const effects = {
  reads: 'Reads only.',
  adds: 'Adds; changes nothing that is there.',
  changes: 'Changes or ends what is there.',
};

/** docs/tools.md, made from the catalog. */
export function toolsDocument(catalog: readonly Tool[]): string {
  const head = [
    '# Tools',
    '',
    'Made from the catalog (`src/tools/catalog.ts`); a test fails when this page is stale, `npm test -- -u test/docs.test.ts` makes it anew.',
    `There are ${catalog.length}. A Worker sees and may call those it was granted; the owner holds them all.`,
    '',
  ];
  return `${[...head, ...catalog.flatMap(section)].join('\n')}`;
}

function section(tool: Tool): string[] {
  const { properties = {}, required = [] } = inputSchema(tool);
  const rows = Object.entries(properties).map(([name, property]) => {
    const type = property.enum ? property.enum.map((value) => `\`${value}\``).join(' or ') : (property.type ?? 'any');
    const description = (property.description ?? '').replaceAll('|', '\\|');
    return `| \`${name}\` | ${type} | ${required.includes(name) ? 'yes' : ''} | ${description} |`;
  });
  const table =
    rows.length > 0 ? ['| argument | type | required | |', '|---|---|---|---|', ...rows] : ['No arguments.'];
  return [`## ${tool.name}`, '', `${tool.description} ${effects[tool.effect]}`, '', ...table, ''];
}
