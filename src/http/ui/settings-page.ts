// GET /ui/settings: how this daemon runs, who may come in, and where things are. Only the owner changes what concerns all.
import { conflict, forbidden, invalid, notFound, OrgError } from '../../domain/errors.ts';
import { requireWorker } from '../../domain/worker.ts';
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import { type Registry, requireDefinition } from '../../store/setting-definition.ts';
import type { Settings } from '../../store/settings.ts';
import type { TokenRow, Tokens } from '../../store/tokens.ts';
import type { TransportInfo } from '../../tools/define-tool.ts';
import { type Fields, isOverTls, type Outcome, refusedFlash } from './forms.ts';
import { THEME_COOKIE, themeOf } from './frame.ts';
import type { Ui } from './kit.ts';
import { streamHref } from './links.ts';
import { createLoginLink } from './login.ts';
import { shownSetting, storeTyped } from './setting-field.ts';
import { moment } from './shown.ts';
import type { Visit } from './visit.ts';

/** Where this daemon and its data are, for people. */
export type ServerFacts = { name: string; value: string }[];

export type SettingsPageDeps = {
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'streams' | 'workers'>;
  settings: Settings;
  settingRegistry: Registry;
  tokens: Tokens;
  transportInfos: ReadonlyMap<string, TransportInfo>;
  facts(): ServerFacts;
};

const PAGE = '/ui/settings';
const YEAR_S = 365 * 24 * 3_600;
const DAY_MS = 24 * 3_600_000;
const LIFETIMES: Record<string, number> = { '1': DAY_MS, '30': 30 * DAY_MS, '365': 365 * DAY_MS };
/** The command line's own token has this label; ending it on a page would shut the command line out. */
const COMMAND_LINE = 'owner';

export function settingsPages(ui: Ui, deps: SettingsPageDeps): void {
  const { journal, queries, settings, settingRegistry, tokens } = deps;

  ui.page('/settings', (visit) => ({
    title: 'Settings',
    section: 'settings',
    page: 'settings',
    data: {
      isOwner: visit.isOwner,
      theme: themeOf(visit),
      sessions: credentialsOf(visit, 'session'),
      tokens: credentialsOf(visit, 'token'),
      ...(visit.isOwner
        ? {
            settings: settings.list().map((view) => shownSetting(view, settingRegistry)),
            inbound: inboundOf(deps),
            facts: deps.facts(),
            workers: queries.workers().map(({ id, kind }) => ({ id, kind })),
          }
        : { settings: [], inbound: [], facts: [], workers: [] }),
    },
  }));

  ui.form('/settings/set', (visit, fields) => {
    requireOwner(visit);
    const key = knownKey(fields);
    try {
      storeTyped(settings, settingRegistry, key, fields.get('value'));
    } catch (error) {
      if (!(error instanceof OrgError)) throw error;
      return { to: anchor(key), flash: refusedFlash(error.message, fields) };
    }
    return { to: anchor(key), flash: { kind: 'done', text: `${key} is saved and holds at once.` } };
  });

  ui.form('/settings/reset', (visit, fields) => {
    requireOwner(visit);
    const key = knownKey(fields);
    settings.delete(key);
    return { to: anchor(key), flash: { kind: 'done', text: `${key} has its default again.` } };
  });

  ui.form('/settings/token', (visit, fields) => {
    const workerId = fields.get('workerId');
    requireMine(visit, workerId);
    requireWorker(journal.org, workerId);
    const label = fields.get('label').trim().slice(0, 100) || 'made on the settings page';
    if (label === COMMAND_LINE)
      throw conflict(`The label "${COMMAND_LINE}" is the command line's own; choose another.`);
    const lifetimeMs = LIFETIMES[fields.get('days')];
    const { token } = tokens.create({ workerId, label, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) });
    return done(`The token of ${workerId}, shown this once:\n${token}`);
  });

  ui.form('/settings/login-link', (visit, fields) => {
    const workerId = fields.get('workerId');
    requireMine(visit, workerId);
    requireWorker(journal.org, workerId);
    const { request } = visit;
    const scheme = isOverTls(request) ? 'https' : 'http';
    const url = createLoginLink(tokens, workerId, `${scheme}://${request.headers.host ?? ''}`);
    return done(`A link that signs ${workerId} in, once, within 15 minutes:\n${url}`);
  });

  ui.form('/settings/revoke', (visit, fields) => {
    const row = tokens.list().find(({ id }) => id === fields.get('id'));
    if (!row) throw notFound('There is no such token or session any more.');
    requireMine(visit, row.worker);
    if (isCommandLines(row))
      throw conflict("This is the command line's own token; it is made anew when its file is deleted.");
    tokens.revoke(row.id);
    return done(`${row.kind === 'session' ? 'The session' : 'The token'} "${row.label}" of ${row.worker} has ended.`);
  });

  ui.answer('/settings/theme', (visit, fields, reply) => {
    const theme = fields.get('theme');
    if (!/^(auto|light|dark)$/.test(theme)) throw invalid('Choose auto, light or dark.');
    const secure = isOverTls(visit.request) ? '; Secure' : '';
    const cookie = `${THEME_COOKIE}=${theme}; Max-Age=${YEAR_S}; Path=/; HttpOnly; SameSite=Strict${secure}`;
    return reply.header('set-cookie', cookie).redirect(`${PAGE}#look`, 303);
  });

  function knownKey(fields: Fields): string {
    const key = fields.get('key');
    requireDefinition(settingRegistry, key);
    return key;
  }

  /** One's own; the owner sees everybody's. */
  function credentialsOf(visit: Visit, kind: TokenRow['kind']) {
    const now = new Date().toISOString();
    const holds = ({ revokedAt, expiresAt }: TokenRow) => revokedAt === null && (expiresAt === null || expiresAt > now);
    return tokens
      .list()
      .filter((row) => row.kind === kind && holds(row) && (visit.isOwner || row.worker === visit.workerId))
      .reverse()
      .map((row) => ({
        id: row.id,
        worker: row.worker,
        onBehalfOf: row.onBehalfOf ?? '',
        label: row.label,
        created: moment(row.createdAt),
        expires: row.expiresAt === null ? undefined : moment(row.expiresAt),
        used: row.lastUsedAt === null ? undefined : moment(row.lastUsedAt),
        isThis: row.id === visit.credential.id,
        isCommandLines: isCommandLines(row),
      }));
  }
}

const anchor = (key: string): string => `${PAGE}#${key.replaceAll('.', '-')}`;

const done = (text: string): Outcome => ({ to: PAGE, flash: { kind: 'done', text } });

const isCommandLines = ({ label, kind, worker }: TokenRow): boolean =>
  label === COMMAND_LINE && kind === 'token' && worker === 'w-owner';

function requireOwner({ isOwner, workerId }: Visit): void {
  if (!isOwner) throw forbidden(`Only the owner changes settings; you are ${workerId}.`);
}

function requireMine({ isOwner, workerId }: Visit, whose: string): void {
  if (!isOwner && whose !== workerId) throw forbidden(`This is ${whose}'s; you are ${workerId}.`);
}

/** Where the outside sends to: one row for each Stream that takes something in. */
function inboundOf({ queries, transportInfos }: SettingsPageDeps) {
  return queries.streams().flatMap(({ id, name, transportKind, transportConfig }) => {
    const told = transportInfos
      .get(transportKind)
      ?.describeInbound?.(id, { kind: transportKind, config: transportConfig });
    if (!told) return [];
    const { url, ...more } = told;
    return [{ id, name, kind: transportKind, href: streamHref(id), url: url ?? '', more: Object.entries(more) }];
  });
}
