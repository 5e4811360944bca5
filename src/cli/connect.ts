import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { invalid } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import { argument, type Cli, type CommonOptions, dataPathsFor, OK, runs } from './command.ts';
import type { ConnectionToken } from './control.ts';
import type { DataPaths } from './data-dir.ts';
import {
  CLIENTS,
  type ClientName,
  type Entry,
  type Place,
  placeOf,
  SCOPES,
  type Scope,
  snippetOf,
} from './mcp-client.ts';

type ConnectOptions = CommonOptions & {
  worker: string;
  name?: string;
  scope: Scope;
  serverUrl?: string;
  print?: boolean;
};

/** In files that others may see, the token is named instead of written. */
const TOKEN_VARIABLE = 'HELIX_ORG_TOKEN';

export function registerConnect(program: Command, cli: Cli): void {
  const connect = program
    .command('connect')
    .argument('[client]', `${CLIENTS.join(' or ')}; without one, what any other MCP client needs is printed`)
    .description("enter a Worker's endpoint into the configuration of an MCP client")
    .option('--print', 'print the entry, with a new token, and change no file');
  common(connect).option(
    '--server-url <url>',
    'where the daemon is reached (default: where it runs)',
    argument(parseUrl),
  );
  runs<ConnectOptions>(connect, cli, async (options, [client]) => {
    const known = clientOf(client);
    const paths = dataPathsFor(cli, options);
    if (known === undefined || options.print) return print(cli, options, paths, known);
    const { file, changed } = await connectClient(cli, options, paths, known);
    cli.err(
      changed
        ? `${file} has ${nameOf(options)} now; ${AGAIN[known]}\n`
        : `${file} has it already; nothing was changed\n`,
    );
    return OK;
  });

  const disconnect = program
    .command('disconnect')
    .argument('<client>', CLIENTS.join(' or '))
    .description('take the endpoint out of the configuration of an MCP client, and end its token');
  common(disconnect);
  runs<ConnectOptions>(disconnect, cli, async (options, [client]) => {
    const place = placeOf(clientOf(client) as ClientName, nameOf(options), options.scope, around(cli));
    const text = textOf(place.file);
    const entry = place.read(text);
    if (!entry) {
      cli.err(`${place.file} has no ${nameOf(options)}; nothing was changed\n`);
      return OK;
    }
    write(place.file, place.remove(text));
    const token = tokenIn(entry);
    const { askControl } = await import('./store-access.ts');
    if (token !== undefined) await askControl(dataPathsFor(cli, options), 'token.disconnect', { token });
    cli.err(`${place.file} has no ${nameOf(options)} any more\n`);
    return OK;
  });
}

const AGAIN: Record<ClientName, string> = {
  claude: 'start claude anew, or use /mcp there',
  codex: 'start codex anew',
};

function common(command: Command): Command {
  return command
    .option('--worker <id>', 'as whom', OWNER)
    .option(
      '--name <name>',
      'what the client calls it (default: helix-org, with the Worker where it is not the owner)',
      argument(parseName),
    )
    .addOption(
      new Option(
        '--scope <scope>',
        'user: everywhere; local: this project, for you; project: in the file the project shares',
      )
        .choices(SCOPES)
        .default('user'),
    );
}

/** What `bootstrap --install-claude-mcp` does too. */
export async function connectClient(
  cli: Cli,
  options: ConnectOptions,
  paths: DataPaths,
  client: ClientName,
): Promise<{ file: string; changed: boolean }> {
  const place = placeOf(client, nameOf(options), options.scope, around(cli));
  const text = textOf(place.file);
  // Looked at first: a file that cannot be changed costs no token.
  const known = place.read(text);
  place.put(text, { url: '', authorization: '' });
  const entry = await entryFor(options, paths, place, known, client);
  const wanted = place.put(text, entry);
  if (wanted === text) return { file: place.file, changed: false };
  write(place.file, wanted);
  if (place.isShared)
    cli.err(
      `${place.file} may be shared, so the token is not in it: put the output of \`helix-org token create --worker ${options.worker}\` into ${TOKEN_VARIABLE}.\n`,
    );
  else if ((statSync(place.file).mode & 0o077) !== 0)
    cli.err(`${place.file} holds a token and can be read by others; consider \`chmod 600\`.\n`);
  return { file: place.file, changed: true };
}

async function entryFor(
  options: ConnectOptions,
  paths: DataPaths,
  place: Place,
  known: Entry | undefined,
  client: ClientName,
): Promise<Entry> {
  const label = `${client} ${nameOf(options)} in ${place.file}`;
  const held = known && tokenIn(known);
  const asked = await ask(options, paths, {
    label,
    ...(held ? { token: held } : {}),
    ...(place.isShared ? { mint: false } : {}),
  });
  const authorization = place.isShared ? `Bearer \${${TOKEN_VARIABLE}}` : `Bearer ${asked.token}`;
  return { url: urlOf(options, asked), authorization };
}

async function print(
  cli: Cli,
  options: ConnectOptions,
  paths: DataPaths,
  client: ClientName | undefined,
): Promise<number> {
  const name = nameOf(options);
  const asked = await ask(options, paths, { label: `${name}, printed` });
  cli.out(snippetOf(client, name, { url: urlOf(options, asked), authorization: `Bearer ${asked.token}` }));
  if (!options.quiet)
    cli.err(`The token acts as ${options.worker} until it is revoked: helix-org token revoke ${asked.id}\n`);
  return OK;
}

type Asked = { label: string; token?: string; mint?: boolean };

async function ask({ worker }: ConnectOptions, paths: DataPaths, args: Asked): Promise<ConnectionToken> {
  const { askControl } = await import('./store-access.ts');
  return (await askControl(paths, 'token.connect', { worker, ...args })) as ConnectionToken;
}

const urlOf = ({ serverUrl, worker }: ConnectOptions, { url }: ConnectionToken): string =>
  serverUrl === undefined ? url : `${serverUrl.replace(/(?<!\/)\/+$/, '')}/workers/${worker}/mcp`;

const nameOf = ({ name, worker }: ConnectOptions): string =>
  name ?? (worker === OWNER ? 'helix-org' : `helix-org-${worker.replace(/^w-/, '')}`);

const tokenIn = ({ authorization }: Entry): string | undefined => /^Bearer (hxo_[\w-]+)$/.exec(authorization)?.[1];

const around = ({ environment }: Cli) => ({ environment, cwd: process.cwd() });

function clientOf(word: string | undefined): ClientName | undefined {
  const client = CLIENTS.find((each) => each === word);
  if (word !== undefined && !client)
    throw invalid(
      `unknown client "${word}"; valid: ${CLIENTS.join(', ')}. For others, leave it out: \`helix-org connect --print\`.`,
    );
  return client;
}

/** What a client may call a server; the names of its tools are made of it. */
export function parseName(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) throw new Error('Use letters, digits, dashes and underscores, 64 at most.');
  return text;
}

export function parseUrl(text: string): string {
  if (!/^https?:$/.test(new URL(text).protocol)) throw new Error('Write it like http://127.0.0.1:8080.');
  return text;
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Whole or not at all; through a link to the file it stands for. A new file is its owner's alone. */
function write(file: string, text: string): void {
  const target = existsSync(file) ? realpathSync(file) : file;
  mkdirSync(dirname(target), { recursive: true });
  const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o600;
  const temporary = `${target}.helix-org.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, mode);
  renameSync(temporary, target);
}
