import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { settingRegistry } from '../src/cli/setting-registry.ts';
import { settingsDocument } from '../src/cli/settings-document.ts';
import { catalog, toolNames } from '../src/tools/catalog.ts';
import { toolsDocument } from '../src/tools/document.ts';
import { transports } from '../src/transports/catalog.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

const top = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter((name) => existsSync(join(root, name)));
const prose = [...top, ...filesBelow('docs', '.md'), ...filesBelow('demos', '.md'), ...filesBelow('templates', '.md')];

/** snake_case words in backticks that are no tools: fields, settings and columns. */
const notTools = new Set(
  'source_kind body_content_type thread_id in_reply_to reply_to message_id content_type size_bytes shapes_org seq_ activation_id caused_by on_behalf_of'.split(
    ' ',
  ),
);

/** Lists that are gone when the function that made them returns, or when a command of the command line ends. */
const SHORT_LIVED = new Set([
  'src/agents/claude-output.ts toolNames',
  'src/agents/claude-partial.ts growing',
  'src/agents/codex-output.ts shown',
  'src/cli/agents.ts found',
  'src/cli/github-hook.ts missing',
  'src/cli/org-folder-read.ts sources',
  'src/cli/trace-tree.ts seen',
  'src/store/health.ts stopped',
  'src/cli/github-hook.ts events',
  'src/dispatch/inbox-files.ts places',
  'src/http/inbound-reading.ts seen',
  'src/http/mcp/odd-arguments.ts odd',
  'src/http/ui/org-chart.ts holders',
  'src/http/ui/stream-needs.ts counts',
  'src/http/ui/stream-needs.ts seen',
  'src/http/ui/transcript.ts calls',
  'src/transports/email-recipients.ts named',
  'src/transports/form-data.ts fields',
  'src/cli/stage.ts waiting',
  'src/cli/stage.ts waitedFor',
  'src/dispatch/root-release.ts room',
  'src/dispatch/root-release.ts letGo',
  'src/dispatch/unanswered.ts latest',
  'src/http/mcp.ts changed',
  'src/http/mcp.ts odd',
  'src/store/commit-context.ts given',
  'src/store/erasure.ts quotes',
  'src/store/inbox.ts batches',
  'src/store/inbox.ts seqs',
  'src/store/verify.ts seqs',
  'src/tools/waits.ts streams',
]);

describe('the documentation', () => {
  it('describes the tools as the catalog has them', async () => {
    await expect(toolsDocument(catalog, [...transports.keys()])).toMatchFileSnapshot('../docs/tools.md');
  });

  it('describes the settings as the registry has them', async () => {
    await expect(settingsDocument(settingRegistry)).toMatchFileSnapshot('../docs/settings.md');
  });

  it.each(filesBelow('templates', '.md').concat(filesBelow('demos', '.md')))(
    '%s names only tools that exist',
    (file) => {
      const words = [...readFileSync(join(root, file), 'utf8').matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(
        (match) => match[1] ?? '',
      );
      expect(words.filter((word) => !toolNames.has(word) && !notTools.has(word))).toEqual([]);
    },
  );

  it.each(prose)('%s has no dead link', (file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const local = links.filter((link) => !/^(https?:|mailto:|#)/.test(link)).map((link) => link.replace(/#.*$/, ''));
    const dead = local.filter((link) => !existsSync(join(root, dirname(file), link)));
    expect(dead, relative(root, file)).toEqual([]);
  });

  it('operations.md names every list that lives as long as the daemon', () => {
    const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const unnamed = filesBelow('src', '.ts').flatMap((file) => {
      const code = readFileSync(join(root, file), 'utf8');
      const lists = [...code.matchAll(/(?:const|let) (\w+) = new (?:Map|Set)</g)].map((match) => match[1] ?? '');
      const isNamed = (name: string) =>
        text.split('\n').some((row) => row.includes(`\`${name}\``) && row.includes(file.replace(/^src\//, '')));
      return lists
        .filter((name) => !isNamed(name) && !SHORT_LIVED.has(`${file} ${name}`))
        .map((name) => `${file} ${name}`);
    });
    expect(unnamed).toEqual([]);
  });

  it('keeps the README short', () => {
    expect(readFileSync(join(root, 'README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(151);
  });
});
