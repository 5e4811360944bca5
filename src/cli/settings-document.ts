import type { Registry } from '../store/setting-definition.ts';
import { variableOf } from './setting-overrides.ts';

/** docs/settings.md, made from the registry. */
export function settingsDocument(registry: Registry): string {
  const rows = Object.keys(registry)
    .sort()
    .map((key) => {
      const { fallback, describe, secret } = registry[key] ?? {};
      const shown = fallback === null || fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``;
      const hidden =
        secret === undefined ? '' : secret === true ? 'all of it' : secret.map((part) => `\`${part}\``).join(', ');
      const cells = [`\`${key}\``, shown, `\`${variableOf(key)}\``, hidden, (describe ?? '').replaceAll('|', '\\|')];
      return `| ${cells.join(' | ')} |`;
    });
  return `${[...HEAD, ...rows].join('\n')}\n`;
}

const HEAD = [
  '# Settings',
  '',
  'Made from the registry (`src/cli/setting-registry.ts`); a test fails when this page is stale, `npm test -- -u test/docs.test.ts` makes it anew.',
  '',
  'Settings say how the daemon runs, not what the org is. They are read at use: a change holds at once, also in a daemon that runs.',
  '',
  '```',
  'helix-org config list',
  'helix-org config set dispatch.max_hops 5',
  'helix-org config get dispatch.max_hops',
  'helix-org config delete dispatch.max_hops      # back to the default',
  '```',
  '',
  'Values are JSON; a text needs no quotes. While a daemon runs, `config` goes through it; else it opens the data itself.',
  '',
  'What holds is the first of these that is given:',
  '',
  '1. a flag of `serve`, for as long as that daemon runs (`helix-org serve --help`);',
  '2. an environment variable of the daemon, named in the table; a name that is no setting is warned of at the start;',
  '3. what `config set` or the settings page stored;',
  '4. the default.',
  '',
  '`config list` says where each value comes from. Secrets are encrypted in the database with the key file beside it, shown as',
  '`"..."` everywhere, and printed by `config get KEY --reveal-secrets` alone. Setting a value that still has `"..."` in a secret',
  'place keeps the secret that is stored. No tool reads or writes settings: secrets never pass through a model.',
  '',
  '| key | default | environment | secret | what it is for |',
  '|---|---|---|---|---|',
];
