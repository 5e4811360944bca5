import type { Tool } from './define-tool.ts';
import { inputSchema, isTelling, outputSchema, type Property } from './tool-schema.ts';

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
    `There are ${catalog.length}. A Worker sees and may call those it was granted; the owner holds them all. [mcp.md](mcp.md) says how clients connect and how large results get.`,
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
  const about = `${tool.description} ${effects[tool.effect]}`;
  return [`## ${tool.name}`, '', about, '', ...table, '', answer(tool, transportKinds), ''];
}

/** What comes back, and what the tool costs in every list of tools. */
function answer(tool: Tool, transportKinds: readonly string[]): string {
  const { name, title, description } = tool;
  const output = outputSchema(tool);
  const fields = Object.keys(output?.properties ?? {}).map((field) => `\`${field}\``);
  const listed = {
    name,
    title,
    description,
    inputSchema: inputSchema(tool, transportKinds),
    ...(output && isTelling(output) ? { outputSchema: output } : {}),
  };
  const bytes = `${Buffer.byteLength(JSON.stringify(listed))} bytes in a list of tools.`;
  return fields.length > 0 ? `Answers with ${fields.join(', ')}. ${bytes}` : bytes;
}

function typeOf({ enum: values, oneOf, type = 'any' }: Property): string {
  if (oneOf) return oneOf.map(typeOf).join(', or ');
  return values ? values.map((value) => `\`${value}\``).join(' or ') : type;
}
