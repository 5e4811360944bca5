import type { Tool } from './define-tool.ts';
import { inputSchema, type Property } from './tool-schema.ts';

const effects = {
  reads: 'Reads only.',
  adds: 'Adds; changes nothing that is there.',
  changes: 'Changes or ends what is there.',
};

/** docs/tools.md, made from the catalog. */
export function toolsDocument(catalog: readonly Tool[], transportKinds: readonly string[]): string {
  const head = [
    '# Tools',
    '',
    'Made from the catalog (`src/tools/catalog.ts`); a test fails when this page is stale, `npm test -- -u test/docs.test.ts` makes it anew.',
    `There are ${catalog.length}. A Worker sees and may call those it was granted; the owner holds them all.`,
    '',
  ];
  return `${[...head, ...catalog.flatMap((tool) => section(tool, transportKinds))].join('\n')}`;
}

function section(tool: Tool, transportKinds: readonly string[]): string[] {
  const { properties = {}, required = [] } = inputSchema(tool, transportKinds);
  const rows = Object.entries(properties).map(([name, property]) => {
    const type = typeOf(property);
    const description = (property.description ?? '').replaceAll('|', '\\|');
    return `| \`${name}\` | ${type} | ${required.includes(name) ? 'yes' : ''} | ${description} |`;
  });
  const table =
    rows.length > 0 ? ['| argument | type | required | |', '|---|---|---|---|', ...rows] : ['No arguments.'];
  return [`## ${tool.name}`, '', `${tool.description} ${effects[tool.effect]}`, '', ...table, ''];
}

function typeOf({ enum: values, oneOf, type = 'any' }: Property): string {
  if (oneOf) return oneOf.map(typeOf).join(', or ');
  return values ? values.map((value) => `\`${value}\``).join(' or ') : type;
}
