// Everything below /ui, and the way in.
import type { FastifyInstance } from 'fastify';
import { allowOnly } from '../refusal.ts';
import { type AttentionDeps, createAttention } from './attention.ts';
import { type AttentionPageDeps, attentionPages } from './attention-page.ts';
import { type ChatPageDeps, chatPages } from './chat-page.ts';
import { eventPages } from './event-page.ts';
import { acceptForms, runTool } from './forms.ts';
import { frameState } from './frame.ts';
import { type JournalPageDeps, journalPages } from './journal-page.ts';
import { createUi, type KitDeps } from './kit.ts';
import { createLive, type LiveDeps } from './live.ts';
import { type OrgPageDeps, orgPages } from './org-page.ts';
import { previewForm } from './preview.ts';
import { type RunPageDeps, runPages } from './run-page.ts';
import { type SettingsPageDeps, settingsPages } from './settings-page.ts';
import { type StarterDeps, starterForms } from './starters.ts';
import { type StreamsPageDeps, streamsPages } from './streams-page.ts';
import { textHistoryPages } from './text-history.ts';

/** What pages ask of the running daemon besides its data. */
export type UiDeps = Omit<KitDeps, 'attention'> &
  AttentionDeps &
  AttentionPageDeps &
  RunPageDeps &
  LiveDeps &
  OrgPageDeps &
  JournalPageDeps &
  SettingsPageDeps &
  StarterDeps &
  ChatPageDeps &
  Omit<StreamsPageDeps, 'attention'>;

export function uiRoutes(app: FastifyInstance, given: UiDeps): void {
  const attention = createAttention(given);
  const deps = { ...given, attention };
  app.get('/', async (_request, reply) => reply.redirect('/ui/', 302));
  allowOnly(app, '/', ['GET']);
  const live = createLive(deps);
  app.addHook('preClose', async () => live.close());
  app.register(
    async (scope) => {
      acceptForms(scope);
      const ui = createUi(scope, deps);
      ui.raw('/live', (visit, reply) => live.connect(visit, reply));
      ui.raw('/frame', (visit, reply) =>
        ui.pages.sendFragment(reply, ui.pages.render('frame-state', { frame: frameState(deps, visit) })),
      );
      ui.form('/do/:tool', (visit, fields) => runTool(deps.door, visit, fields));
      chatPages(ui, deps, live);
      previewForm(ui, deps);
      orgPages(ui, deps);
      textHistoryPages(ui, deps);
      starterForms(ui, deps);
      runPages(ui, deps);
      attentionPages(ui, deps, attention);
      streamsPages(ui, deps, live);
      eventPages(ui, deps);
      journalPages(ui, deps);
      settingsPages(ui, deps);
    },
    { prefix: '/ui' },
  );
}
