// What `doctor` looks at where Streams meet the outside: accounts, secrets, the public address, and what could not leave.
import { createHealth } from '../store/health.ts';
import { createQueries, type StreamRow } from '../store/queries.ts';
import { ACCOUNT_KEY, type EmailAccount } from '../transports/email-config.ts';
import { type GithubAccount, github } from '../transports/github.ts';
import { webhook } from '../transports/webhook.ts';
import { answerOf } from './doctor-machine.ts';
import type { OrgSite } from './doctor-org.ts';
import { broken, type Finding, findAll, fine, warning } from './finding.ts';

export function checkTransports(site: OrgSite): Promise<Finding[]> {
  const streams = createQueries(site.db).streams();
  return findAll({
    mail: () => mail(site, streams),
    github: () => githubAccount(site, streams),
    webhooks: () => webhooks(site, streams),
    'public address': () => publicAddress(site),
    outbox: () => outbox(site),
  });
}

const callTool = (tool: string, args: object): string =>
  `helix-org call ${tool} '${JSON.stringify(args).replaceAll("'", "'\\''")}'`;

/** A config is replaced as a whole, so all of it is named. One that signs what leaves has a secret already, shown once long ago. */
function askForSecret({ id, transportConfig }: StreamRow): string {
  const config = { ...transportConfig, secret: true };
  const ask = callTool('update_stream', { streamId: id, transport: { kind: 'webhook', config } });
  const told = '# prints the secret; give it to the sender';
  if (transportConfig.outbound_url === undefined) return `${ask} ${told}`;
  return `${ask}; ${callTool('rotate_secret', { streamId: id })} ${told}, and to the receiver`;
}

function mail({ settings }: OrgSite, streams: StreamRow[]): Finding[] {
  const used = ofKind(streams, 'email');
  const account = settings.account(ACCOUNT_KEY) as EmailAccount | undefined;
  const set = `helix-org config set ${ACCOUNT_KEY} '{"token": "…", "inbound": "….@inbound.postmarkapp.com", "from": "you@example.com", "inbound_user": "…", "inbound_password": "…"}'`;
  if (!account)
    return used.length === 0
      ? []
      : broken(
          'mail',
          `${used.join(', ')} ${used.length === 1 ? 'is' : 'are'} for mail, but ${ACCOUNT_KEY} is not set: nothing leaves and what comes is refused.`,
          set,
        );
  if (account.inbound_password === undefined)
    return warning(
      'mail',
      'Whoever knows the address to which Postmark posts may post mail in its place: inbound_user and inbound_password are not set.',
      `Set both in ${ACCOUNT_KEY}, and write them into the webhook URL at Postmark: https://USER:PASSWORD@…`,
    );
  return fine('mail', `It leaves by ${account.smtp ? account.smtp.host : 'Postmark'} as ${account.from}.`);
}

function githubAccount({ settings }: OrgSite, streams: StreamRow[]): Finding[] {
  const used = ofKind(streams, 'github');
  const account = settings.account(github.account.key) as GithubAccount | undefined;
  if (used.length === 0 || account?.webhook_secret)
    return used.length === 0 ? [] : fine('github', 'What GitHub sends can be proven.');
  return broken(
    'github',
    `${used.join(', ')} listens to GitHub, but ${github.account.key} has no webhook_secret: what GitHub sends is refused.`,
    `helix-org config set ${github.account.key} '{"webhook_secret": "…", "token": "…"}', then helix-org github connect OWNER/REPO --stream ${used[0]}`,
  );
}

const ofKind = (streams: StreamRow[], kind: string): string[] =>
  streams.filter(({ transportKind }) => transportKind === kind).map(({ id }) => id);

/** A Stream that takes what anybody sends, where anybody can send. */
function webhooks({ settings, publicUrl = '', isWide = false }: OrgSite, streams: StreamRow[]): Finding[] {
  const all = streams.filter(({ transportKind }) => transportKind === 'webhook');
  const unset = all.filter(
    ({ id, transportConfig }) => webhook.signs(transportConfig) && settings.secret(`stream.${id}`) === undefined,
  );
  if (unset.length > 0)
    return unset.flatMap(({ id, transportConfig }) =>
      broken(
        'webhooks',
        `${id} signs, but its secret is not here: ${transportConfig.secret === true ? 'what comes is refused' : 'nothing leaves'}.`,
        `${callTool('rotate_secret', { streamId: id })} # prints a new one; give it to the other side`,
      ),
    );
  const open = all.filter(({ transportConfig }) => transportConfig.secret !== true);
  const isReached = isPublic(publicUrl) || isWide;
  if (open.length > 0 && isReached)
    return warning(
      'webhooks',
      `Anybody who reaches ${isPublic(publicUrl) ? publicUrl : 'this machine'} may post to ${open.map(({ id }) => id).join(', ')}: no secret is asked for.`,
      askForSecret(open[0] as StreamRow),
    );
  return all.length === 0
    ? []
    : fine('webhooks', isReached ? 'All ask for a signature.' : 'They are reached from this machine only.');
}

async function publicAddress({ publicUrl = '' }: OrgSite): Promise<Finding[]> {
  if (!isPublic(publicUrl)) return [];
  const check = 'public address';
  const fix = `See that ${publicUrl} leads to this daemon (DNS, tunnel or proxy), or name another: helix-org serve --public-url https://…`;
  const answer = await answerOf(publicUrl + github.receive.path);
  if (answer === undefined)
    return broken(check, `Nothing answers at ${publicUrl}, so nothing comes in from outside.`, fix);
  // What providers call is closed to names that the daemon does not know.
  if (answer.status === 403)
    return broken(
      check,
      `${publicUrl} leads to a daemon that does not know the name: ${answer.text}`,
      'Let the proxy hand on the Host header as it came (nginx: proxy_set_header Host $host), and start with this --public-url.',
    );
  if (answer.status !== 405) return broken(check, `Something else answers at ${publicUrl}.`, fix);
  return publicUrl.startsWith('https:')
    ? fine(check, `${publicUrl} leads to a daemon.`)
    : warning(
        check,
        `${publicUrl} is not encrypted: whoever is on the way reads credentials and mail.`,
        'Put a proxy with TLS before it, and start with --public-url https://…',
      );
}

/** A URL that only this machine understands is none of the outside. */
function isPublic(publicUrl: string | undefined): boolean {
  const host = URL.parse(publicUrl ?? '')?.hostname;
  return host !== undefined && !/^(localhost|127\..*|\[::1\])$/.test(host);
}

function outbox({ db }: OrgSite): Finding[] {
  const health = createHealth(db);
  const found = [
    ...health
      .sendingStopped()
      .flatMap(({ streamId, reason }) =>
        broken(
          'outbox',
          `Nothing leaves ${streamId} any more: ${reason}.`,
          `Correct its target with update_stream, then: helix-org call retry '{"id": "${streamId}"}'`,
        ),
      ),
    ...health
      .deadLetters()
      .flatMap(({ streamId, count, newest }) =>
        warning(
          'outbox',
          `${count} of ${streamId} could not be delivered.`,
          `helix-org call retry '{"id": "${createQueries(db).eventAt(newest)?.id}"}', or discard; /ui/attention shows each with its reason.`,
        ),
      ),
  ];
  return found.length > 0 ? found : fine('outbox', 'Nothing is left that could not be delivered.');
}
